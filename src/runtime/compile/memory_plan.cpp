// Arena offsets by greedy first fit, largest buffer first: each goes to the lowest offset where it
// meets no buffer that lives at the same time. (Pisarchyk, Lee: "Efficient Memory Management for
// Deep Neural Net Inference", 2020, arXiv:2001.03288, section 5.2.)

#include <algorithm>
#include <cstdlib>
#include <new>
#include <numeric>

#include "runtime/compile/plan.h"

namespace coppice::runtime {
namespace {

struct Life {
  size_t first = std::numeric_limits<size_t>::max(), last = 0;
};

// The buffers that have their offsets, by when they live: a net of many layers has many buffers, of
// which few live at the same time.
class Placed {
 public:
  explicit Placed(size_t steps) : alive_(steps), begins_(steps) {}

  void add(BufferId id, const Life& life) {
    if (life.first > life.last) return;  // no step touches it
    begins_[life.first].push_back(id);
    for (size_t s = life.first; s <= life.last; ++s) alive_[s].push_back(id);
  }

  // Those that live at some step of `life`.
  std::vector<BufferId> during(const Life& life) const {
    if (life.first > life.last) return {};
    std::vector<BufferId> found = alive_[life.first];
    for (size_t s = life.first + 1; s <= life.last; ++s) {
      found.insert(found.end(), begins_[s].begin(), begins_[s].end());
    }
    return found;
  }

 private:
  std::vector<std::vector<BufferId>> alive_, begins_;  // by step
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
  Placed placed(plan.steps.size());
  for (const BufferId id : order) {
    Buffer& buffer = plan.buffers[id];
    buffer.offset = 0;
    std::vector<BufferId> beside = placed.during(lives[id]);
    std::ranges::sort(beside, {}, [&](BufferId other) { return plan.buffers[other].offset; });
    for (const BufferId other : beside) {
      const Buffer& taken = plan.buffers[other];
      if (buffer.offset + buffer.bytes <= taken.offset) break;
      buffer.offset = std::max(buffer.offset, taken.offset + aligned(taken.bytes));
    }
    plan.arena_bytes = std::max(plan.arena_bytes, buffer.offset + aligned(buffer.bytes));
    placed.add(id, lives[id]);
  }
}

}  // namespace coppice::runtime
