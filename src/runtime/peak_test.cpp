// What registers alone can do bounds what layers do.

#include "runtime/peak.h"

#include <gtest/gtest.h>

#include "support/test_net.h"

namespace coppice {
namespace {

TEST(Peak, no_layer_is_faster) {
  TestNet net(1);
  net.output(net.same_conv(net.input({1, 64, 28, 28}), 64));
  Target target;
  target.threads = 1;
  target.profile = Target::Profile::on;
  Executable executable = compile(net.graph, {}, target);
  double best = 0;
  for (int i = 0; i < 9; ++i) {
    executable.run(random_inputs(executable, 1));
    for (const LayerTime& layer : executable.layer_times()) {
      if (layer.weights > 0) best = std::max(best, 2e-6 * layer.macs / layer.ms);
    }
  }
  // Products with padding aren't computed, but are counted; and a machine changes its pace.
  EXPECT_GT(1.5 * peak_gflops(1), best);
  EXPECT_GT(best, 0);
}

}  // namespace
}  // namespace coppice
