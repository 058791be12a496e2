// Fuzzes gzip and xz: any bytes unpack to no more than the limit or give an Error::input.
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "data/files/decompress.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coppice;
  constexpr size_t kLimit = 1 << 16;
  // The input outlives the call, so nobody has to own it.
  const Buffer packed{{std::shared_ptr<void>(), reinterpret_cast<const std::byte*>(data)}, size};
  try {
    const auto limit = [](std::span<const std::byte>) { return kLimit; };
    if (unpack(packed, "'fuzz'", limit).size > kLimit) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) std::abort();
  }
  return 0;
}
