// JPEG decoding with libjpeg-turbo, whose default error handler exits the process.
//
// Ours jumps. A jump must not pass frames that own C++ objects, so everything that libjpeg can fail
// in happens in three functions (open_header, start, read_row) that hold nothing but plain pointers
// and return false on failure; the C++ around them owns the decoder and the tensor. Warnings mean
// corrupt or missing data (libjpeg would fill the rest with grey) and count as errors.
#include "data/files/jpeg.h"

#include <csetjmp>
#include <cstdio>
// libjpeg's header needs <cstdio> before it.
#include <jpeglib.h>

#include <vector>

#include "core/error.h"

namespace coppice {
namespace {

// A progressive file of a few bytes a scan can keep a decoder busy for minutes; real ones have ten.
constexpr int kMostScans = 200;

struct Decoder {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  std::jmp_buf failed;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void on_error(j_common_ptr info) {
  Decoder* decoder = static_cast<Decoder*>(info->client_data);
  info->err->format_message(info, decoder->message);
  std::longjmp(decoder->failed, 1);
}

void on_message(j_common_ptr info, int level) {
  if (level < 0) on_error(info);
}

void on_progress(j_common_ptr info) {
  Decoder* decoder = static_cast<Decoder*>(info->client_data);
  if (decoder->info.input_scan_number <= kMostScans) return;
  std::snprintf(decoder->message, sizeof decoder->message, "more than %d scans", kMostScans);
  std::longjmp(decoder->failed, 1);
}

bool open_header(Decoder* decoder, const unsigned char* bytes, size_t size) {
  decoder->info.err = jpeg_std_error(&decoder->errors);
  decoder->errors.error_exit = on_error;
  decoder->errors.emit_message = on_message;
  decoder->info.client_data = decoder;
  if (setjmp(decoder->failed)) return false;
  jpeg_create_decompress(&decoder->info);
  decoder->progress.progress_monitor = on_progress;
  decoder->info.progress = &decoder->progress;
  jpeg_mem_src(&decoder->info, bytes, size);
  jpeg_read_header(&decoder->info, TRUE);
  return true;
}

bool start(Decoder* decoder) {
  if (setjmp(decoder->failed)) return false;
  switch (decoder->info.jpeg_color_space) {
    case JCS_GRAYSCALE: decoder->info.out_color_space = JCS_GRAYSCALE; break;
    case JCS_CMYK:
    case JCS_YCCK: decoder->info.out_color_space = JCS_CMYK; break;
    default: decoder->info.out_color_space = JCS_RGB;
  }
  jpeg_start_decompress(&decoder->info);
  return true;
}

bool read_row(Decoder* decoder, unsigned char* row) {
  if (setjmp(decoder->failed)) return false;
  JSAMPROW rows[] = {row};
  jpeg_read_scanlines(&decoder->info, rows, 1);
  return true;
}

// Value-initialised, so that destroying is safe even where creating failed.
struct OwnedDecoder {
  Decoder decoder{};
  OwnedDecoder() = default;
  ~OwnedDecoder() { jpeg_destroy_decompress(&decoder.info); }
  OwnedDecoder(const OwnedDecoder&) = delete;
  OwnedDecoder& operator=(const OwnedDecoder&) = delete;
};

[[noreturn]] void fail_jpeg(const Decoder& decoder, const std::string& where) {
  fail_input(where + ": corrupt JPEG (" + decoder.message + "); copy or convert it again");
}

// One interleaved row into the planes. CMYK: Adobe stores it inverted, and everybody who writes
// CMYK JPEGs is Adobe or imitates it; without the marker it is taken as it stands.
void store_row(const Decoder& decoder, const std::vector<unsigned char>& row, uint8_t* target,
               size_t plane) {
  const size_t width = decoder.info.output_width;
  const int stored = decoder.info.output_components;
  if (stored != 4) {
    for (int c = 0; c < stored; ++c) {
      for (size_t x = 0; x < width; ++x) target[c * plane + x] = row[x * stored + c];
    }
    return;
  }
  const unsigned invert = decoder.info.saw_Adobe_marker ? 0 : 255;
  for (int c = 0; c < 3; ++c) {
    for (size_t x = 0; x < width; ++x) {
      const unsigned ink = row[4 * x + c] ^ invert, black = row[4 * x + 3] ^ invert;
      target[c * plane + x] = static_cast<uint8_t>((ink * black + 127) / 255);
    }
  }
}

}  // namespace

Tensor decode_jpeg(std::span<const std::byte> bytes, const std::string& where) {
  OwnedDecoder owner;
  Decoder* decoder = &owner.decoder;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  if (!open_header(decoder, data, bytes.size())) fail_jpeg(*decoder, where);
  const int64_t height = decoder->info.image_height, width = decoder->info.image_width;
  check_claimed_size(height, width, bytes.size(), where);
  if (!start(decoder)) fail_jpeg(*decoder, where);

  const int stored = decoder->info.output_components;
  Tensor result = Tensor::zeros(DType::u8, {stored == 1 ? 1 : 3, height, width});
  uint8_t* planes = result.mutate<uint8_t>().data();
  std::vector<unsigned char> row(static_cast<size_t>(width) * stored);
  for (int64_t y = 0; y < height; ++y) {
    if (!read_row(decoder, row.data())) fail_jpeg(*decoder, where);
    store_row(*decoder, row, planes + y * width, static_cast<size_t>(height * width));
  }
  return result;
}

}  // namespace coppice
