#include <gtest/gtest.h>

#include "core/random.h"
#include "runtime/compile/plan.h"

namespace coppice::runtime {
namespace {

Plan plan_of(const std::vector<size_t>& sizes, const std::vector<std::vector<BufferId>>& steps) {
  Plan plan;
  for (const size_t bytes : sizes) {
    plan.buffers.emplace_back();
    plan.buffers.back().bytes = bytes;
  }
  for (const auto& buffers : steps) plan.steps.push_back({"", "", buffers, nullptr});
  plan_memory(plan);
  return plan;
}

TEST(MemoryPlan, a_chain_needs_two_buffers_at_a_time) {
  const Plan plan = plan_of({1024, 1024, 1024, 1024}, {{0, 1}, {1, 2}, {2, 3}});
  EXPECT_EQ(plan.arena_bytes, 2048u);
}

TEST(MemoryPlan, an_empty_plan_needs_nothing) { EXPECT_EQ(plan_of({}, {}).arena_bytes, 0u); }

TEST(MemoryPlan, only_the_arenas_buffers_are_placed) {
  Plan plan = plan_of({}, {});
  plan.buffers.resize(2);
  plan.buffers[0] = {4096, Home::input, 0, nullptr, 0};
  plan.buffers[1] = {64, Home::arena, -1, nullptr, 0};
  plan.steps.push_back({"", "", {0, 1}, nullptr});
  plan_memory(plan);
  EXPECT_EQ(plan.arena_bytes, 64u);
}

TEST(MemoryPlan, buffers_that_live_together_never_overlap) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    std::vector<size_t> sizes;
    for (int i = 0; i < 20; ++i) sizes.push_back(1 + random.below(5000));
    std::vector<std::vector<BufferId>> steps(15);
    for (auto& step : steps) {
      for (int i = 0; i < 3; ++i) step.push_back(static_cast<BufferId>(random.below(20)));
    }
    const Plan plan = plan_of(sizes, steps);
    std::vector<size_t> first(20, 99), last(20, 0);
    for (size_t s = 0; s < steps.size(); ++s) {
      for (const BufferId id : steps[s]) {
        first[id] = std::min(first[id], s);
        last[id] = std::max(last[id], s);
      }
    }
    for (int a = 0; a < 20; ++a) {
      const Buffer& left = plan.buffers[a];
      EXPECT_EQ(left.offset % kAlignment, 0u);
      EXPECT_LE(left.offset + left.bytes, plan.arena_bytes);
      for (int b = 0; b < a; ++b) {
        const Buffer& right = plan.buffers[b];
        if (first[a] > last[b] || first[b] > last[a]) continue;
        EXPECT_TRUE(left.offset + left.bytes <= right.offset ||
                    right.offset + right.bytes <= left.offset)
            << "seed " << seed << ": " << a << " and " << b;
      }
    }
  }
}

}  // namespace
}  // namespace coppice::runtime
