// Fuzzes the preprocessing grammar: what is read prints to a text that reads back equal; anything
// else is an Error::usage.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "data/images/preprocess.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coppice;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Preprocessing read;
  try {
    read = parse_preprocessing(text);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) std::abort();
    return 0;
  }
  if (parse_preprocessing(to_string(read)) != read) std::abort();
  return 0;
}
