// What compilation decides: buffers, where each of them lives, and steps that run one after the
// other. Nothing here knows the graph any more.
//
// A step sees its buffers through one table of pointers, so that inputs and outputs are read and
// written where the caller has them. Arena buffers whose steps don't overlap share memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace coppice::runtime {

using BufferId = int32_t;

enum class Home {
  arena,     // valid from its first step to its last one
  constant,  // packed weights
  input,     // the caller's
  output,    // the caller's
};

struct Buffer {
  size_t bytes = 0;
  Home home = Home::arena;
  int32_t index = -1;                   // which input or output
  std::shared_ptr<std::byte> constant;  // Home::constant
  size_t offset = 0;                    // Home::arena, set by plan_memory
};

using Pointers = std::span<std::byte* const>;  // by BufferId

// What a layer of constant weights multiplies, for whoever asks where its time goes.
struct Work {
  std::string kernel = {};  // "dense", "sparse 4x1 (AVX-512)"; empty where there are no weights
  int64_t weights = 0, nonzeros = 0;
  double macs = 0;       // those by zeros left out
  size_t own_bytes = 0;  // of packed weights that lie in no buffer
};

struct Step {
  std::string name;                   // of the layer
  std::string kind;                   // "Conv+Relu", "Reorder"
  std::vector<BufferId> buffers;      // all that it touches
  std::function<void(Pointers)> run;  // a copy of it may run beside it, in other memory
  Work work = {};
};

struct Plan {
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  size_t arena_bytes = 0;
};

// Alignment of every buffer: one cache line, and the widest vector.
inline constexpr size_t kAlignment = 64;
std::shared_ptr<std::byte> allocate_aligned(size_t bytes);

// Gives every arena buffer its offset.
void plan_memory(Plan& plan);

}  // namespace coppice::runtime
