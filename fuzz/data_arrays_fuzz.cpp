// Fuzzes the idx and npy headers: any bytes give an array that lies within them or an Error::input.
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "data/formats/idx.h"
#include "data/formats/npy.h"

namespace {

template <typename Parse>
void parse_or_error(size_t size, Parse parse) {
  try {
    if (parse().bytes().size() > size) std::abort();
  } catch (const coppice::Error& error) {
    if (error.kind() != coppice::ErrorKind::input) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coppice;
  // The input outlives the call, so nobody has to own it.
  const Buffer file{{std::shared_ptr<void>(), reinterpret_cast<const std::byte*>(data)}, size};
  parse_or_error(size, [&] { return parse_npy(file, "'fuzz'"); });
  parse_or_error(size, [&] { return parse_idx(file, 1, "'fuzz'"); });
  parse_or_error(size, [&] { return parse_idx(file, 3, "'fuzz'"); });
  return 0;
}
