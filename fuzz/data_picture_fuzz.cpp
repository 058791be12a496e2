// Fuzzes the decoding of JPEG and PNG: any bytes give an image of the promised shape or an
// Error::input, nothing else.
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "data/files/image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coppice;
  try {
    const Tensor pixels = decode_image(std::as_bytes(std::span(data, size)), "'fuzz'");
    if (pixels.rank() != 3 || pixels.size() == 0 || pixels.dtype() != DType::u8) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) std::abort();
  }
  return 0;
}
