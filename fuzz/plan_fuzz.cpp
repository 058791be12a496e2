// Any bytes as a plan: what is read must write and read back the same. Only Error may come out.

#include <string>

#include "core/error.h"
#include "prune/plan/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coppice;
  try {
    const Plan plan = plan_from_json(std::string(reinterpret_cast<const char*>(data), size));
    if (!(plan_from_json(to_json(plan)) == plan)) __builtin_trap();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) __builtin_trap();
  }
  return 0;
}
