// See image.h. This file decides by magic number, checks what an image claims, and decodes PNG;
// jpeg.cpp holds the JPEG half. PNG goes through libpng's simplified interface, which contains its
// own setjmp: no jump ever crosses our frames.
#include "data/files/image.h"

#include <png.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "data/files/decompress.h"
#include "data/files/jpeg.h"
#include "data/in_quotes.h"

namespace coppice {
namespace {

constexpr size_t kMostFileBytes = size_t{1} << 30;

// Frees what the simplified interface holds, also when an exception leaves.
struct PngImage : png_image {
  PngImage() : png_image{} { version = PNG_IMAGE_VERSION; }
  ~PngImage() { png_image_free(this); }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;
};

[[noreturn]] void fail_png(const PngImage& image, const std::string& where) {
  fail_input(where + ": corrupt PNG (" + image.message + "); copy or convert it again");
}

Tensor decode_png(std::span<const std::byte> bytes, const std::string& where) {
  PngImage image;
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size())) {
    fail_png(image, where);
  }
  const bool colour = image.format & PNG_FORMAT_FLAG_COLOR;
  const bool alpha = image.format & PNG_FORMAT_FLAG_ALPHA;
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // else 16-bit samples would be taken as linear light
  image.format = (colour ? PNG_FORMAT_FLAG_COLOR : 0) | (alpha ? PNG_FORMAT_FLAG_ALPHA : 0);
  const int64_t channels = colour ? 3 : 1, stored = channels + (alpha ? 1 : 0);
  const int64_t height = image.height, width = image.width;
  check_claimed_size(height, width, bytes.size(), where);

  const size_t pixels = static_cast<size_t>(height * width);
  const auto rows = std::make_unique_for_overwrite<uint8_t[]>(pixels * stored);
  if (!png_image_finish_read(&image, nullptr, rows.get(), 0, nullptr)) fail_png(image, where);
  Tensor result = Tensor::zeros(DType::u8, {channels, height, width});
  uint8_t* planes = result.mutate<uint8_t>().data();
  for (int64_t c = 0; c < channels; ++c) {
    for (size_t i = 0; i < pixels; ++i) planes[c * pixels + i] = rows[i * stored + c];
  }
  return result;
}

std::string first_bytes(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes.first(std::min<size_t>(bytes.size(), 4))) {
    char digits[4];
    std::snprintf(digits, sizeof digits, "%02x ", std::to_integer<unsigned>(byte));
    text += digits;
  }
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace

void check_claimed_size(int64_t height, int64_t width, size_t bytes, const std::string& where) {
  // Deflate gives at most 1032 bytes for one; a JPEG block of 64 samples takes at least about a
  // bit.
  constexpr int64_t kMostSide = 65535, kMostPixels = 100'000'000, kMostPixelsPerByte = 8192;
  const std::string claim =
      where + ": claims " + std::to_string(width) + "x" + std::to_string(height) + " pixels";
  if (height < 1 || width < 1) fail_input(claim + ", expected at least 1x1");
  if (height > kMostSide || width > kMostSide || height * width > kMostPixels) {
    fail_input(claim + ", expected at most " + std::to_string(kMostPixels) + "; make it smaller");
  }
  if (static_cast<size_t>(height * width) / kMostPixelsPerByte > bytes) {
    fail_input(claim + " in " + std::to_string(bytes) +
               " bytes, expected far more bytes; copy or convert it again");
  }
}

Tensor decode_image(std::span<const std::byte> bytes, const std::string& where) {
  const auto starts_with = [&](std::string_view magic) {
    return bytes.size() >= magic.size() &&
           std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
  };
  if (starts_with("\xff\xd8\xff")) return decode_jpeg(bytes, where);
  if (starts_with("\x89PNG\r\n\x1a\n")) return decode_png(bytes, where);
  if (bytes.empty()) fail_input(where + ": 0 bytes, expected a JPEG or PNG image; remove it");
  fail_input(where + ": starts with bytes " + first_bytes(bytes) +
             ", expected a JPEG (ff d8 ff) or PNG (89 50 4e 47); convert or remove it");
}

Tensor read_image(const std::filesystem::path& file) {
  return decode_image(read_at_most(file, kMostFileBytes).bytes(), in_quotes(file));
}

}  // namespace coppice
