// Pixels to model input: numbers, channels, geometry, layouts, and what does not fit.
#include "data/images/preprocess.h"

#include <numeric>

#include "support/test_files.h"

namespace coppice {
namespace {

using test::expect_error;

// [C, H, W] of 0, 1, 2, ...
Tensor counting(const Shape& shape) {
  std::vector<uint8_t> values(element_count(shape));
  std::iota(values.begin(), values.end(), uint8_t{0});
  return Tensor::of<uint8_t>(shape, values);
}

std::vector<float> processed(const Tensor& pixels, const std::string& text, const Shape& input) {
  std::vector<float> values(element_count(input), -1000);
  preprocess(pixels, parse_preprocessing(text), input, values);
  return values;
}

using Floats = std::vector<float>;

TEST(Preprocess, none_leaves_the_pixels_as_they_are) {
  EXPECT_EQ(processed(counting({1, 2, 2}), "none", {1, 2, 2}), (Floats{0, 1, 2, 3}));
}

TEST(Preprocess, values_are_scaled_shifted_and_divided_for_each_channel) {
  EXPECT_EQ(processed(counting({3, 1, 1}), "scale=2,mean=1,2,3,std=.5,1,.25", {3, 1, 1}),
            (Floats{-2, 0, 4}));
  EXPECT_EQ(processed(counting({3, 1, 1}), "mean=1,std=2", {3, 1, 1}), (Floats{-0.5, 0, 0.5}));
}

TEST(Preprocess, mean_follows_the_order_after_reordering) {
  EXPECT_EQ(processed(counting({3, 1, 1}), "order=bgr,mean=10,20,30", {3, 1, 1}),
            (Floats{-8, -19, -30}));
}

TEST(Preprocess, nhwc_interleaves) {
  EXPECT_EQ(processed(counting({3, 1, 2}), "layout=nhwc", {1, 2, 3}), (Floats{0, 2, 4, 1, 3, 5}));
  EXPECT_EQ(processed(counting({3, 1, 2}), "layout=nhwc,order=bgr", {1, 2, 3}),
            (Floats{4, 2, 0, 5, 3, 1}));
}

TEST(Preprocess, larger_images_are_cropped_to_the_model_in_the_centre) {
  EXPECT_EQ(processed(counting({1, 3, 5}), "none", {1, 1, 1}), (Floats{7}));
  // Margins 1 and 3: half of them to even, 0 and 2, as torchvision does.
  EXPECT_EQ(processed(counting({1, 2, 4}), "none", {1, 1, 1}), (Floats{2}));
}

TEST(Preprocess, imagenet_leaves_images_of_the_models_size_as_they_are) {
  const Tensor pixels = counting({3, 8, 8});
  Floats expected;
  const Preprocessing imagenet = parse_preprocessing("imagenet");
  for (size_t i = 0; i < 192; ++i) {
    expected.push_back(
        (static_cast<float>(pixels.as<uint8_t>()[i]) * imagenet.scale - imagenet.mean[i / 64]) /
        imagenet.deviation[i / 64]);
  }
  EXPECT_EQ(processed(pixels, "imagenet", {3, 8, 8}), expected);
}

TEST(Preprocess, smaller_images_are_enlarged_then_cropped) {
  const Tensor pixels = Tensor::of<uint8_t>({1, 1, 2}, std::vector<uint8_t>{0, 100});
  EXPECT_EQ(processed(pixels, "none", {1, 2, 2}), (Floats{25, 75, 25, 75}));
}

TEST(Preprocess, resize_sets_the_short_side_and_crop_cuts_the_centre) {
  const Tensor pixels = Tensor::of<uint8_t>({1, 1, 2}, std::vector<uint8_t>{0, 100});
  EXPECT_EQ(processed(pixels, "resize=2,crop=2", {1, 2, 2}), (Floats{25, 75, 25, 75}));
  EXPECT_EQ(processed(pixels, "resize=2", {8}), (Floats{0, 25, 75, 100, 0, 25, 75, 100}));
}

TEST(Preprocess, grey_is_replicated_and_colour_becomes_luma) {
  EXPECT_EQ(processed(counting({1, 1, 2}), "none", {3, 1, 2}), (Floats{0, 1, 0, 1, 0, 1}));
  const Tensor colour = Tensor::of<uint8_t>({3, 1, 1}, std::vector<uint8_t>{255, 0, 0});
  EXPECT_EQ(processed(colour, "none", {1, 1, 1}), (Floats{76}));  // 0.299 * 255
  const Tensor floats = Tensor::of<float>({3, 1, 1}, std::vector<float>{0, 1, 0});
  EXPECT_EQ(processed(floats, "none", {1, 1, 1}), (Floats{0.587f}));
}

TEST(Preprocess, flat_inputs_take_the_values_in_order) {
  EXPECT_EQ(processed(counting({1, 2, 2}), "none", {4}), (Floats{0, 1, 2, 3}));
  EXPECT_EQ(processed(counting({1, 2, 2}), "none", {2, 2}), (Floats{0, 1, 2, 3}));
  EXPECT_EQ(processed(counting({1, 4, 4}), "crop=2", {4}), (Floats{5, 6, 9, 10}));
}

TEST(Preprocess, what_does_not_fit_says_both_numbers) {
  const auto fails = [](const Shape& pixels, const char* text, const Shape& input,
                        const std::vector<std::string>& parts) {
    expect_error(ErrorKind::usage, parts, [&] { processed(counting(pixels), text, input); });
  };
  fails({3, 2, 2}, "none", {5, 2, 2}, {"3 channels", "5x2x2", "has 5"});
  fails({2, 2, 2}, "none", {3, 2, 2}, {"2 channels", "has 3"});
  fails({3, 2, 2}, "layout=nhwc", {3, 2, 2}, {"3 channels", "has 2"});
  fails({1, 2, 2}, "imagenet", {1, 2, 2}, {"mean", "3 values", "1 channels"});
  fails({3, 2, 2}, "std=1,2", {3, 2, 2}, {"std", "2 values", "3 channels"});
  fails({1, 4, 4}, "crop=3", {1, 2, 2}, {"crop=3", "2x2"});
  fails({1, 2, 2}, "none", {7}, {"7 values", "2x2", "4"});
  fails({1, 2, 2}, "none", {8}, {"1 channels", "has 2"});
}

TEST(Preprocess, how_much_of_a_image_is_seen_is_a_share_of_its_short_side) {
  const auto seen = [](ImageSize image, const char* text, const Shape& input) {
    return seen_share(image, parse_preprocessing(text), input);
  };
  EXPECT_EQ(seen({448, 1000}, "imagenet", {3, 224, 224}), 0.5);
  EXPECT_EQ(seen({1000, 448}, "imagenet,crop=224", {3, 224, 224}), 0.5);
  EXPECT_EQ(seen({448, 1000}, "layout=nhwc", {224, 224, 3}), 0.5);
  EXPECT_EQ(seen({448, 1000}, "resize=256,crop=224", {3, 224, 224}), 0.875);
  EXPECT_EQ(seen({224, 224}, "none", {3, 224, 224}), 1);
  EXPECT_EQ(seen({32, 32}, "none", {3, 224, 224}), 1) << "enlarged to fit";
  EXPECT_EQ(seen({28, 28}, "none", {784}), 1);
  EXPECT_EQ(seen({28, 28}, "crop=14", {196}), 0.5);
}

TEST(Preprocess, the_window_is_the_models_input_or_for_a_flat_one_what_is_left) {
  const auto window = [](ImageSize image, const char* text, const Shape& input) {
    return window_size(image, parse_preprocessing(text), input);
  };
  EXPECT_EQ(window({100, 200}, "resize=50", {3, 20, 30}), (ImageSize{20, 30}));
  EXPECT_EQ(window({100, 200}, "none", {60000}), (ImageSize{100, 200}));
  EXPECT_EQ(window({100, 200}, "resize=50", {15000}), (ImageSize{50, 100}));
  EXPECT_EQ(window({100, 200}, "crop=50", {7500}), (ImageSize{50, 50}));
}

TEST(Preprocess, an_extreme_aspect_is_refused) {
  expect_error(ErrorKind::input, {"1x60000", "8000x480000000", "100000000"}, [] {
    processed(Tensor::zeros(DType::u8, {1, 1, 60000}), "resize=8000", {1, 2, 2});
  });
}

}  // namespace
}  // namespace coppice
