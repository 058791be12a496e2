// Preprocessing as text: presets, keys, errors that name the token, and the round trip.
#include <bit>
#include <cmath>

#include "core/random.h"
#include "support/test_files.h"

namespace coppice {
namespace {

using test::expect_error;

TEST(PreprocessText, presets_set_numbers_but_no_geometry) {
  const Preprocessing imagenet = parse_preprocessing("imagenet");
  EXPECT_EQ(imagenet.scale, 1.0f / 255);
  EXPECT_EQ(imagenet.mean, (std::vector<float>{.485f, .456f, .406f}));
  EXPECT_EQ(imagenet.deviation, (std::vector<float>{.229f, .224f, .225f}));
  EXPECT_EQ(imagenet.resize, 0);
  EXPECT_EQ(imagenet.crop, 0);
  EXPECT_EQ(parse_preprocessing("mnist").mean, (std::vector<float>{.1307f}));
  EXPECT_EQ(parse_preprocessing("cifar10").deviation, (std::vector<float>{.2470f, .2435f, .2616f}));
  EXPECT_EQ(parse_preprocessing("none"), Preprocessing{});
}

TEST(PreprocessText, keys_follow_presets_and_replace_their_values) {
  Preprocessing expected = parse_preprocessing("imagenet");
  expected.crop = 227;
  expected.order = Preprocessing::Order::bgr;
  EXPECT_EQ(parse_preprocessing("imagenet,crop=227,order=bgr"), expected);
  EXPECT_EQ(parse_preprocessing("imagenet,mean=0.5").mean, (std::vector<float>{0.5f}));
  EXPECT_EQ(parse_preprocessing("mean=1,2,mean=3").mean, (std::vector<float>{3}));
}

TEST(PreprocessText, a_token_without_equals_continues_the_list) {
  const Preprocessing read = parse_preprocessing(
      "mean=.485,.456,.406,std=.229,1/4,.225,scale=1/"
      "127.5,order=rgb,layout=nhwc,resize=256,crop=224");
  EXPECT_EQ(read.mean, (std::vector<float>{.485f, .456f, .406f}));
  EXPECT_EQ(read.deviation, (std::vector<float>{.229f, .25f, .225f}));
  EXPECT_EQ(read.scale, static_cast<float>(1 / 127.5));
  EXPECT_EQ(read.layout, Preprocessing::Layout::nhwc);
  EXPECT_EQ(read.resize, 256);
  EXPECT_EQ(read.crop, 224);
}

TEST(PreprocessText, errors_name_the_token_and_what_is_allowed) {
  const std::vector<std::vector<std::string>> cases = {
      {"imagnet", "'imagnet'", "imagenet, cifar10, mnist or none", "mean=", "crop="},
      {"", "''", "imagenet"},
      {"crop=3,mnist", "'mnist'", "imagenet"},
      {"mean=1,mnist", "'mnist'", "a number"},
      {"imagenet,", "''", "imagenet"},
      {"colour=rgb", "'colour=rgb'", "order=rgb|bgr"},
      {"order=rbg", "'order=rbg'", "order=rgb|bgr"},
      {"layout=hwc", "'layout=hwc'", "layout=nchw|nhwc"},
      {"mean=", "'mean='", "1/255"},
      {"mean=.5,x", "'x'", "1/255"},
      {"scale=1/0", "'scale=1/0'", "1/255"},
      {"scale=1/255/2", "'scale=1/255/2'", "1/255"},
      {"scale=inf", "'scale=inf'", "a number"},
      {"scale=nan", "'scale=nan'", "a number"},
      {"scale=0", "'scale=0'", "other than 0"},
      {"std=.2,0", "'0'", "above 0"},
      {"std=-1", "'std=-1'", "above 0"},
      {"resize=-1", "'resize=-1'", "0 (none) to 8192"},
      {"crop=99999", "'crop=99999'", "8192"},
      {"crop=2.5", "'crop=2.5'", "pixels"},
  };
  for (const auto& parts : cases) {
    expect_error(ErrorKind::usage, {parts.begin() + 1, parts.end()},
                 [&] { parse_preprocessing(parts[0]); });
  }
}

TEST(PreprocessText, what_is_printed_reads_back_equal) {
  for (const char* text : {"imagenet", "cifar10", "mnist", "none", "imagenet,resize=256,crop=224",
                           "scale=1/127.5,mean=1,order=bgr,layout=nhwc"}) {
    const Preprocessing read = parse_preprocessing(text);
    EXPECT_EQ(parse_preprocessing(to_string(read)), read) << to_string(read);
  }
  EXPECT_EQ(to_string(Preprocessing{}), "scale=1,order=rgb,layout=nchw");
}

TEST(PreprocessText, any_finite_numbers_survive_the_round_trip) {
  Random random(1);
  const auto any = [&] {
    float value = 0;
    do {
      value = std::bit_cast<float>(static_cast<uint32_t>(random.next()));
    } while (!std::isfinite(value) || value == 0);
    return value;
  };
  for (int i = 0; i < 2000; ++i) {
    Preprocessing made;
    made.scale = any();
    made.mean.resize(random.below(4));
    for (float& value : made.mean) value = any();
    made.deviation.resize(random.below(4));
    for (float& value : made.deviation) value = std::abs(any());
    if (random.below(2)) made.order = Preprocessing::Order::bgr;
    if (random.below(2)) made.layout = Preprocessing::Layout::nhwc;
    made.resize = static_cast<int64_t>(random.below(300));
    made.crop = static_cast<int64_t>(random.below(300));
    EXPECT_EQ(parse_preprocessing(to_string(made)), made) << to_string(made);
  }
}

}  // namespace
}  // namespace coppice
