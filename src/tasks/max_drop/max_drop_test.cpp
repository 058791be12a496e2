// The strongest budget that keeps the accuracy, on a tiny net and images that mean little.
#include "tasks/max_drop/max_drop.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "methods/options/blocks.h"
#include "session/options/data_options.h"
#include "support/tiny_task.h"

namespace coppice {
namespace {

constexpr char kNet[] = R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [40, 1, 3, 3] random
    const b1 float32 [40] random
    const fw float32 [3, 40] random
    a = Conv(x, w1, b1) {pads=[1, 1, 1, 1]}
    r = Relu(a)
    g = GlobalAveragePool(r)
    f = Flatten(g)
    y = Gemm(f, fw) {transB=1}
    output y)";

struct MaxDrop : TinyTask {
  MaxDrop() { write("net.onnx", parse_text_graph(kNet)); }

  MaxDropRequest request(double points, const std::string& method = "l1") {
    PruneRequest pruning{.model = path("net.onnx"), .output = path("small.onnx"), .method = method};
    pruning.settings = Settings(options_of(find_method(method)));
    pruning.settings.set(kData, data());
    pruning.settings.set(kPreprocess, "none");
    pruning.latency = false;
    pruning.common = common(0);
    return {.pruning = std::move(pruning), .points = points};
  }
};

std::string refusal(const MaxDropRequest& request) {
  try {
    check(request);
  } catch (const Error& error) {
    return error.what();
  }
  return "(no error)";
}

TEST_F(MaxDrop, finds_the_smallest_budget_that_keeps_the_accuracy) {
  MaxDropRequest asked = request(10);
  asked.pruning.settings.set(kRoundTo, "1");
  const MaxDropReport report = prune_within_drop(asked, watcher_);
  ASSERT_EQ(report.tried.size(), 7u);
  double smallest = 1;
  for (const TriedBudget& tried : report.tried) {
    const double top1 = tried.top1.value_or(-1);
    EXPECT_EQ(tried.keeps, top1 >= report.original - 0.1) << tried.kept;
    if (tried.keeps) smallest = std::min(smallest, tried.kept);
  }
  const CutSummary& summary = report.pruned.summary;
  EXPECT_LE(summary.after.costs.macs, smallest * static_cast<double>(summary.before.costs.macs));
  EXPECT_TRUE(std::filesystem::exists(path("small.onnx")));
}

TEST_F(MaxDrop, what_was_tried_is_not_tried_again) {
  MaxDropRequest asked = request(100);
  asked.pruning.common.run_folder = path("run");
  const MaxDropReport first = prune_within_drop(asked, watcher_);
  const auto written =
      std::filesystem::last_write_time(path("run/max-drop/keep-0.5000/model.onnx"));
  const MaxDropReport again = prune_within_drop(asked, watcher_);
  EXPECT_EQ(std::filesystem::last_write_time(path("run/max-drop/keep-0.5000/model.onnx")), written);
  ASSERT_EQ(first.tried.size(), again.tried.size());
  for (size_t i = 0; i < first.tried.size(); ++i) {
    EXPECT_EQ(first.tried[i].top1, again.tried[i].top1);
  }
}

TEST_F(MaxDrop, what_makes_no_sense_is_refused) {
  MaxDropRequest budget = request(1);
  budget.pruning.settings.set(kKeepParams, "0.5");
  EXPECT_NE(refusal(budget).find("found --keep-params beside it"), std::string::npos);
  EXPECT_NE(refusal(request(1, "magnitude")).find("which has none"), std::string::npos);
  MaxDropRequest blind = request(1);
  blind.pruning.settings = Settings(options_of(find_method("l1")));
  EXPECT_NE(refusal(blind).find("add --data"), std::string::npos);
}

}  // namespace
}  // namespace coppice
