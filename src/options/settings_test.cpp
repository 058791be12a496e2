// Options as they are read, refused, compared and said again.
#include "options/settings.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace coppice {
namespace {

const NumberOption kShare(
    {"share", "SHARE", "a share"},
    {.low = 0, .high = 1, .ends = NumberRange::Ends::open, .why_not_high = "nothing would be left"},
    0.5);
const CountOption kTimes({"times", "N", "how often"}, 1, 10);
const FlagOption kTwice("twice", "do it again");
enum class Colour { red, blue };
const ChoiceOption<Colour> kColour({"colour", "NAME", "which"},
                                   {{"red", Colour::red}, {"blue", Colour::blue}}, "red");
const TextOption<std::string> kLayers({"layers", "REGEX", "which", "", Option::Takes::values},
                                      "a name", any_text);

OptionList all() { return {{&kShare}, {&kTimes, "3"}, {&kTwice}, {&kColour}, {&kLayers}}; }

std::string refusal(const Option& option, const std::string& text) {
  Settings settings(all());
  try {
    settings.set(option, text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_FALSE(settings.has(option)) << "kept what it refused";
    return error.what();
  }
  return "";
}

TEST(Options, what_is_no_value_is_refused_with_what_was_expected) {
  EXPECT_EQ(refusal(kShare, "1.5"), "--share 1.5: expected a number above 0 and below 1");
  EXPECT_EQ(refusal(kShare, "1"), "--share 1: nothing would be left");
  EXPECT_EQ(refusal(kShare, "nan"), "--share nan: expected a number above 0 and below 1");
  EXPECT_EQ(refusal(kShare, "half"), "--share half: expected a number above 0 and below 1");
  EXPECT_EQ(refusal(kShare, ""), "--share '': expected a number above 0 and below 1");
  EXPECT_EQ(refusal(kShare, "0.5x"), "--share 0.5x: expected a number above 0 and below 1");
  EXPECT_EQ(refusal(kTimes, "11"), "--times 11: expected a whole number from 1 to 10");
  EXPECT_EQ(refusal(kTimes, "2.5"), "--times 2.5: expected a whole number from 1 to 10");
  EXPECT_EQ(refusal(kTimes, "99999999999999999999"),
            "--times 99999999999999999999: expected a whole number from 1 to 10");
  EXPECT_EQ(refusal(kColour, "green"), "--colour 'green': expected red or blue");
  EXPECT_EQ(refusal(kTwice, "maybe"), "--twice 'maybe': expected true or false");
}

TEST(Options, ranges_say_themselves) {
  EXPECT_EQ((NumberRange{}).text(), "");
  EXPECT_EQ((NumberRange{.low = 0}).text(), "from 0 up");
  EXPECT_EQ((NumberRange{.high = 2.5}).text(), "up to 2.5");
  EXPECT_EQ((NumberRange{.low = 0, .high = 1}).text(), "from 0 to 1");
  EXPECT_EQ((NumberRange{.low = 0, .ends = NumberRange::Ends::open}).text(), "above 0");
}

TEST(Settings, what_was_not_set_is_at_its_owners_default) {
  const Settings settings(all());
  EXPECT_EQ(settings[kShare], 0.5);
  EXPECT_EQ(settings[kTimes], 3) << "the owner's, not the option's";
  EXPECT_FALSE(settings[kTwice]);
  EXPECT_EQ(settings[kColour], Colour::red);
  EXPECT_TRUE(settings.all(kLayers).empty());
  EXPECT_EQ(settings.given(kShare), std::nullopt);
  EXPECT_EQ(Settings()[kShare], 0.5) << "without a list, the option's own";
}

TEST(Settings, an_option_without_value_and_default_is_missing) {
  try {
    Settings()[kTimes];
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              "--times is missing: how often; expected a whole number from 1 to 10");
  }
}

TEST(Settings, what_decides_is_what_differs_from_the_defaults_in_their_order) {
  Settings settings(all());
  settings.set(kLayers, "b");
  settings.set(kLayers, "a");
  settings.set(kColour, "red");
  settings.set(kTwice, "true");
  settings.set(kTimes, "7");
  settings.set(kShare, "0.50");
  EXPECT_EQ(settings.decisive(),
            (Request{{"--times", "7"}, {"--twice", ""}, {"--layers", "b"}, {"--layers", "a"}}));
  settings.set(kShare, "2.5e-1");
  EXPECT_EQ(settings.decisive().front(), (std::pair<std::string, std::string>("--share", "0.25")));
}

TEST(Settings, resolved_names_every_value_set_or_not) {
  Settings settings(all());
  settings.set(kTimes, "7");
  EXPECT_EQ(settings.resolved(),
            (Request{{"share", "0.5"}, {"times", "7"}, {"twice", "false"}, {"colour", "red"}}));
}

}  // namespace
}  // namespace coppice
