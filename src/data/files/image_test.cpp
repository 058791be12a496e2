// Images: every kind that occurs in the wild decodes to planar u8, every broken one is an error.
#include "data/files/image.h"

#include "support/test_files.h"

namespace coppice {
namespace {

using test::expect_error;

// JPEG loses a little; at quality 95 flat colours come back this close.
constexpr int kJpegTolerance = 3;

Tensor decode(const std::string& bytes) {
  return decode_image(std::as_bytes(std::span(bytes)), "'f'");
}

std::vector<uint8_t> flat(int pixels, const std::vector<uint8_t>& colour) {
  std::vector<uint8_t> rows;
  for (int i = 0; i < pixels; ++i) rows.insert(rows.end(), colour.begin(), colour.end());
  return rows;
}

TEST(Image, png_colour_grey_and_alpha_become_planes) {
  const Tensor colour = decode(test::png(2, 1, PNG_FORMAT_RGB, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(colour.shape(), (Shape{3, 1, 2}));
  EXPECT_EQ(test::pixels_of(colour), (std::vector<uint8_t>{1, 4, 2, 5, 3, 6}));
  const Tensor grey = decode(test::png(3, 1, PNG_FORMAT_GRAY, {7, 8, 9}));
  EXPECT_EQ(grey.shape(), (Shape{1, 1, 3}));
  EXPECT_EQ(test::pixels_of(grey), (std::vector<uint8_t>{7, 8, 9}));
  const Tensor alpha = decode(test::png(1, 1, PNG_FORMAT_RGBA, {10, 20, 30, 40}));
  EXPECT_EQ(test::pixels_of(alpha), (std::vector<uint8_t>{10, 20, 30}));
  const Tensor both = decode(test::png(2, 1, PNG_FORMAT_GA, {50, 0, 60, 255}));
  EXPECT_EQ(test::pixels_of(both), (std::vector<uint8_t>{50, 60}));
}

TEST(Image, jpeg_colour_and_grey_become_planes) {
  const Tensor colour = decode(test::jpeg(20, 10, JCS_RGB, flat(200, {200, 100, 50})));
  ASSERT_EQ(colour.shape(), (Shape{3, 10, 20}));
  EXPECT_NEAR(colour.as<uint8_t>()[0], 200, kJpegTolerance);
  EXPECT_NEAR(colour.as<uint8_t>()[200], 100, kJpegTolerance);
  EXPECT_NEAR(colour.as<uint8_t>()[599], 50, kJpegTolerance);
  const Tensor grey = decode(test::jpeg(8, 9, JCS_GRAYSCALE, flat(72, {77})));
  ASSERT_EQ(grey.shape(), (Shape{1, 9, 8}));
  EXPECT_NEAR(grey.as<uint8_t>()[71], 77, kJpegTolerance);
}

void expect_flat(const Tensor& pixels, const std::vector<int>& colour) {
  ASSERT_EQ(pixels.shape(), (Shape{3, 8, 8}));
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(pixels.as<uint8_t>()[c * 64 + 20], colour[c], kJpegTolerance) << c;
  }
}

TEST(Image, jpeg_cmyk_becomes_rgb) {
  // Under Adobe's marker 255 means no ink; without it, full ink.
  const std::string adobe = test::jpeg(8, 8, JCS_CMYK, flat(64, {255, 0, 128, 255}));
  expect_flat(decode(adobe), {255, 0, 128});
  std::string plain = test::jpeg(8, 8, JCS_CMYK, flat(64, {255, 0, 128, 0}));
  const size_t marker = plain.find("\xff\xee");
  ASSERT_NE(marker, std::string::npos);
  plain.erase(marker, 16);
  expect_flat(decode(plain), {0, 255, 127});
}

TEST(Image, what_is_no_image_is_an_error) {
  expect_error(ErrorKind::input, {"'f'", "0 bytes"}, [] { decode(""); });
  expect_error(ErrorKind::input, {"'f'", "47 49 46 38", "ff d8 ff"}, [] { decode("GIF89a"); });
  expect_error(ErrorKind::input, {"'f'", "corrupt JPEG"}, [] { decode("\xff\xd8\xff"); });
  expect_error(ErrorKind::input, {"'f'", "corrupt PNG"}, [] { decode("\x89PNG\r\n\x1a\n"); });
}

TEST(Image, every_truncation_is_an_error) {
  const std::vector<uint8_t> rows = flat(64, {10, 200, 90});
  for (const std::string& bytes :
       {test::jpeg(8, 8, JCS_RGB, rows), test::png(8, 8, PNG_FORMAT_RGB, rows)}) {
    // Without its end marker alone (2 bytes, 12 bytes) an image is whole.
    for (size_t size = 0; size + 12 < bytes.size(); ++size) {
      expect_error(ErrorKind::input, {"'f'"}, [&] { decode(bytes.substr(0, size)); });
    }
  }
}

TEST(Image, flipped_bytes_never_do_worse_than_an_error) {
  std::vector<uint8_t> rows;
  for (int i = 0; i < 16 * 16 * 3; ++i) rows.push_back(static_cast<uint8_t>(i * 37));
  int errors = 0, images = 0;
  for (const std::string& bytes :
       {test::jpeg(16, 16, JCS_RGB, rows), test::png(16, 16, PNG_FORMAT_RGB, rows)}) {
    for (size_t at = 0; at < bytes.size(); ++at) {
      std::string bad = bytes;
      bad[at] = static_cast<char>(~bad[at]);
      try {
        decode(bad);
        ++images;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
        ++errors;
      }
    }
  }
  EXPECT_GT(errors, 0);
  EXPECT_GT(images, 0);
}

TEST(Image, a_size_that_its_bytes_cannot_hold_is_refused) {
  std::string bytes = test::jpeg(8, 8, JCS_RGB, flat(64, {1, 2, 3}));
  const size_t frame = bytes.find("\xff\xc0");  // then length (2), precision (1), height, width
  ASSERT_NE(frame, std::string::npos);
  bytes.replace(frame + 5, 4, "\xff\x00\xff\x00", 4);
  expect_error(ErrorKind::input, {"'f'", "65280x65280", "100000000"}, [&] { decode(bytes); });
  bytes.replace(frame + 5, 4, "\x23\x28\x23\x28", 4);
  expect_error(ErrorKind::input, {"'f'", "9000x9000", std::to_string(bytes.size()) + " bytes"},
               [&] { decode(bytes); });
}

TEST(Image, a_file_names_itself_in_errors) {
  const test::TempFolder folder;
  const std::string file = folder.write("a.png", "nothing");
  expect_error(ErrorKind::input, {file, "JPEG"}, [&] { read_image(file); });
}

}  // namespace
}  // namespace coppice
