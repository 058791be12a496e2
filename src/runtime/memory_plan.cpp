// Arena offsets by greedy first fit, largest buffer first: each goes to the lowest offset where it
// meets no buffer that lives at the same time. (Pisarchyk, Lee: "Efficient Memory Management for
// Deep Neural Net Inference", 2020, arXiv:2001.03288, section 5.2.)

#include <algorithm>
#include <cstdlib>
#include <new>
#include <numeric>

#include "runtime/plan.h"

namespace coppice::runtime {
namespace {

struct Life {
  size_t first = std::numeric_limits<size_t>::max(), last = 0;
  bool overlaps(const Life& other) const { return first <= other.last && other.first <= last; }
};

std::vector<Life> lives_of(const Plan& plan) {
  std::vector<Life> lives(plan.buffers.size());
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    for (const BufferId id : plan.steps[s].buffers) {
      lives[id].first = std::min(lives[id].first, s);
      lives[id].last = std::max(lives[id].last, s);
    }
  }
  return lives;
}

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

std::shared_ptr<std::byte> allocate_aligned(size_t bytes) {
  void* memory = std::aligned_alloc(kAlignment, std::max(aligned(bytes), kAlignment));
  if (!memory) throw std::bad_alloc();
  return {static_cast<std::byte*>(memory), std::free};
}

void plan_memory(Plan& plan) {
  const std::vector<Life> lives = lives_of(plan);
  std::vector<BufferId> order;
  for (size_t id = 0; id < plan.buffers.size(); ++id) {
    if (plan.buffers[id].home == Home::arena) order.push_back(static_cast<BufferId>(id));
  }
  std::stable_sort(order.begin(), order.end(), [&](BufferId a, BufferId b) {
    return plan.buffers[a].bytes > plan.buffers[b].bytes;
  });
  std::vector<BufferId> placed;  // by offset
  for (const BufferId id : order) {
    Buffer& buffer = plan.buffers[id];
    buffer.offset = 0;
    for (const BufferId other : placed) {
      if (!lives[id].overlaps(lives[other])) continue;
      const Buffer& taken = plan.buffers[other];
      if (buffer.offset + buffer.bytes <= taken.offset) break;
      buffer.offset = std::max(buffer.offset, taken.offset + aligned(taken.bytes));
    }
    plan.arena_bytes = std::max(plan.arena_bytes, buffer.offset + aligned(buffer.bytes));
    const auto after = std::find_if(placed.begin(), placed.end(), [&](BufferId other) {
      return plan.buffers[other].offset > buffer.offset;
    });
    placed.insert(after, id);
  }
}

}  // namespace coppice::runtime
