// Any bytes as the choices that make a small net: compiled, it computes what the reference does.
// Neither an Error nor anything else may come out.

#include <algorithm>
#include <cmath>

#include "runtime/executable.h"
#include "runtime/latency.h"
#include "runtime/reference.h"
#include "support/graphs/random_layers.h"

namespace {

using namespace coppice;

// As in runtime/differential_test.cpp, but fuzzers find nets that cancel.
constexpr double kTolerance = 1e-3;

bool finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

bool close(std::span<const float> actual, std::span<const float> expected) {
  double largest = 1, difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max<double>(largest, std::fabs(expected[i]));
    difference = std::max<double>(difference, std::fabs(actual[i] - expected[i]));
  }
  return difference <= kTolerance * largest;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  size_t at = 0;
  const Graph graph = random_layers([&](uint64_t bound) {
    const uint64_t low = at < size ? data[at++] : 0;
    const uint64_t high = bound > 256 && at < size ? data[at++] : 0;
    return (low | high << 8) % bound;
  });
  Target target;
  target.threads = 1;
  target.arena = Target::Arena::poisoned;
  Executable executable = compile(graph, {}, target);
  const std::vector<Tensor> inputs = random_inputs(executable, 1);
  const std::vector<Tensor> actual = executable.run(inputs);
  const std::vector<Tensor> expected = run_reference(graph, inputs);
  for (size_t o = 0; o < expected.size(); ++o) {
    const auto wanted = expected[o].as<float>(), found = actual[o].as<float>();
    if (!finite(wanted)) continue;
    if (!finite(found) || !close(found, wanted)) __builtin_trap();
  }
  return 0;
}
