// Any bytes as a table of sensitivity: what is read must be written and read back to the same text.
// Only Error may come out.

#include <string>

#include "core/error.h"
#include "prune/sensitivity/sensitivity_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coppice;
  try {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const std::string written = to_json(sensitivity_from_json(text));
    if (to_json(sensitivity_from_json(written)) != written) __builtin_trap();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) __builtin_trap();
  }
  return 0;
}
