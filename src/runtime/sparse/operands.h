// How steps on sparse weights find their buffers when they run.
#pragma once

#include <vector>

#include "runtime/compile/plan.h"
#include "runtime/sparse/tiles.h"

namespace coppice::runtime {

// Null for a buffer that isn't there, -1.
inline float* floats_at(Pointers pointers, BufferId id) {
  return id < 0 ? nullptr : reinterpret_cast<float*>(pointers[id]);
}

// Gives those that add something their operands, in their order.
inline void bind_operands(std::vector<Finish>& finish, const std::vector<BufferId>& operands,
                          Pointers pointers) {
  size_t operand = 0;
  for (Finish& f : finish) {
    if (f.kind == Finish::Kind::add) f.operand = floats_at(pointers, operands[operand++]);
  }
}

}  // namespace coppice::runtime
