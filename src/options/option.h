// Something that a user may set, declared once: command lines, files of options, checks, reports
// and the reference in docs/methods.md are all made from the declaration.
//
// An option is a constant beside what it is for, and is read by that constant (options/settings.h):
//
//   const NumberOption kLambda({"lambda", "X", "strength of the penalty on scales"}, {.low = 0},
//                              1e-4);
//   ...
//   const double lambda = settings[kLambda];
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coppice {

class Option {
 public:
  enum class Takes { nothing, value, values };  // `values`: may be given several times

  struct About {
    const char* name;        // "keep-macs"; on a command line --keep-macs
    const char* unit;        // what stands for the value in a help text: "SHARE"
    const char* help;        // what it does, in one sentence without its default
    const char* usual = "";  // the default in words, where it depends on what isn't known here
    Takes takes = Takes::value;
  };

  explicit Option(About about) : about_(about) {}
  virtual ~Option() = default;
  Option(const Option&) = delete;
  Option& operator=(const Option&) = delete;

  std::string name() const { return about_.name; }
  std::string flag() const { return "--" + name(); }
  const About& about() const { return about_; }

  // "number", "count", "flag", "choice" or "text".
  virtual const char* type() const = 0;
  // What a value must be: "a number from 0 to 1".
  virtual std::string expected() const = 0;
  // The value in its shortest form, so that equal values are equal texts. Throws Error::usage for
  // what isn't one.
  virtual std::string normal(const std::string& text) const = 0;
  // The default in that form; empty where there is none.
  virtual std::string usual() const = 0;

 protected:
  // Throws Error::usage: what was found, and what is expected.
  [[noreturn]] void refuse(const std::string& text) const;

 private:
  About about_;
};

// An option whose values are of type T.
template <typename T>
class OptionOf : public Option {
 public:
  using Option::Option;
  virtual T read(const std::string& text) const = 0;  // throws as `normal` does
};

// What numbers may be. `why_not_low`, `why_not_high`: what would come of the ends of an open range,
// for a message: "there would be nothing left".
struct NumberRange {
  enum class Ends { closed, open };

  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  Ends ends = Ends::closed;
  const char* why_not_low = nullptr;
  const char* why_not_high = nullptr;

  bool holds(double value) const;
  std::string text() const;  // "above 0 and below 1", "from 0 up"; empty for any
};

class NumberOption : public OptionOf<double> {
 public:
  NumberOption(About about, NumberRange range, std::optional<double> usual = {})
      : OptionOf(about), range_(range), usual_(usual) {}
  const char* type() const override { return "number"; }
  std::string expected() const override;
  std::string normal(const std::string& text) const override;
  std::string usual() const override;
  double read(const std::string& text) const override;

 private:
  NumberRange range_;
  std::optional<double> usual_;
};

class CountOption : public OptionOf<int64_t> {
 public:
  CountOption(About about, int64_t low, int64_t high, std::optional<int64_t> usual = {})
      : OptionOf(about), low_(low), high_(high), usual_(usual) {}
  const char* type() const override { return "count"; }
  std::string expected() const override;
  std::string normal(const std::string& text) const override;
  std::string usual() const override;
  int64_t read(const std::string& text) const override;

 private:
  int64_t low_, high_;
  std::optional<int64_t> usual_;
};

// Given or not.
class FlagOption : public OptionOf<bool> {
 public:
  FlagOption(const char* name, const char* help) : OptionOf({name, "", help, "", Takes::nothing}) {}
  const char* type() const override { return "flag"; }
  std::string expected() const override { return "true or false"; }
  std::string normal(const std::string& text) const override;
  std::string usual() const override { return "false"; }
  bool read(const std::string& text) const override { return normal(text) == "true"; }
};

// "a, b or c", with `last` between the last two.
std::string listed(const std::vector<std::string>& names, const char* last);

// One of a few names.
template <typename T>
class ChoiceOption : public OptionOf<T> {
 public:
  struct Choice {
    const char* name;
    T value;
  };
  // `usual`: the name of the default, or empty for none.
  ChoiceOption(Option::About about, std::vector<Choice> choices, std::string usual = {})
      : OptionOf<T>(about), choices_(std::move(choices)), usual_(std::move(usual)) {}
  const char* type() const override { return "choice"; }
  std::string expected() const override {
    std::vector<std::string> names;
    for (const Choice& choice : choices_) names.push_back(choice.name);
    return listed(names, " or ");
  }
  std::string normal(const std::string& text) const override { return chosen(text).name; }
  std::string usual() const override { return usual_; }
  T read(const std::string& text) const override { return chosen(text).value; }

 private:
  const Choice& chosen(const std::string& text) const {
    for (const Choice& choice : choices_) {
      if (choice.name == text) return choice;
    }
    this->refuse("'" + text + "'");
  }

  std::vector<Choice> choices_;
  std::string usual_;
};

// A text that `parse` makes a T of, or nothing of what isn't one.
template <typename T>
class TextOption : public OptionOf<T> {
 public:
  using Parse = std::optional<T> (*)(const std::string& text);

  // `expected`: what a text must be, for messages.
  TextOption(Option::About about, const char* expected, Parse parse, std::string usual = {})
      : OptionOf<T>(about), expected_(expected), parse_(parse), usual_(std::move(usual)) {}
  const char* type() const override { return "text"; }
  std::string expected() const override { return expected_; }
  std::string normal(const std::string& text) const override {
    read(text);
    return text;
  }
  std::string usual() const override { return usual_; }
  T read(const std::string& text) const override {
    if (auto value = parse_(text)) return *std::move(value);
    this->refuse("'" + text + "'");
  }

 private:
  const char* expected_;
  Parse parse_;
  std::string usual_;
};

// The numbers of "0.5,0.75": between 0 and 1, each above the one before.
std::optional<std::vector<double>> rising_shares(const std::string& text);

// Any text.
std::optional<std::string> any_text(const std::string& text);

}  // namespace coppice
