// Comparing methods, with a trainer that only pretends to train.
#include "tasks/compare/compare.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "methods/options/blocks.h"
#include "session/options/data_options.h"
#include "session/options/training_options.h"
#include "support/fake_session.h"
#include "support/tiny_task.h"
#include "tasks/runs/controls.h"

namespace coppice {
namespace {

// No BatchNormalization, so that a method that needs it can't work.
constexpr char kNet[] = R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [4, 1, 3, 3] random
    const w2 float32 [3, 4, 1, 1] random
    const fw float32 [3, 3] random
    const fb float32 [3] random
    a = Conv(x, w1) {pads=[1, 1, 1, 1]}
    r = Relu(a)
    c = Conv(r, w2)
    g = GlobalAveragePool(c)
    f = Flatten(g)
    y = Gemm(f, fw, fb) {transB=1}
    output y)";

class Comparing : public TinyTask {
 protected:
  Comparing() { write("net.onnx", parse_text_graph(kNet)); }

  CompareRequest asking(std::vector<std::string> methods, int64_t repeat = 1) {
    CompareRequest request{.model = path("net.onnx"),
                           .folder = path("compared"),
                           .methods = std::move(methods),
                           .repeat = repeat,
                           .latency = false};
    request.given = {{&kKeepMacs, "0.6"},           {&kRoundTo, "1"}, {&kData, data()},
                     {&kPreprocess, "scale=1/255"}, {&kEpochs, "2"},  {&kLearningRate, "0.01"}};
    for (const OptionUse& use : training_options()) {
      if (use.option->name() == "batch") request.given.emplace_back(use.option, "8");
    }
    request.dense = Settings(dense_options());
    for (const OptionUse& use : dense_options()) {
      if (use.option->name() == "control-lr") request.dense.set(*use.option, "0.02");
    }
    request.common = common(5);
    return request;
  }

  template <typename Task>
  std::string refusal(Task task, ErrorKind kind = ErrorKind::usage) {
    return fake::message_of(kind, [&] { task(); });
  }
};

std::vector<std::string> names_of(const CompareReport& report) {
  std::vector<std::string> names;
  for (const RunRow& row : report.rows) names.push_back(row.name);
  return names;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(Comparing, gives_a_row_to_every_method_and_control_with_the_same_seeds) {
  const CompareReport report = compare(asking({"l2", "sfp"}, 2), watcher_);
  EXPECT_EQ(names_of(report), (std::vector<std::string>{"l2", "sfp", "random", "scratch-e"}));
  EXPECT_EQ(trainings_, 8);
  for (const RunRow& row : report.rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(row.why_not, "");
    ASSERT_EQ(row.runs.size(), 2u);
    EXPECT_EQ(row.runs[0]["seed"], 5);
    EXPECT_EQ(row.runs[1]["seed"], 6);
    for (const Json& run : row.runs) {
      EXPECT_EQ(run["epochs"], 2);
      EXPECT_TRUE(run["held_out"].is_number() && run["judged"].is_number());
      EXPECT_TRUE(run["surgery"].is_number());
      EXPECT_EQ(run["learning_rate"], row.name == "scratch-e" ? 0.02 : 0.01);
      EXPECT_LE(run["macs"], 0.6 * report.original["macs"].get<double>());
      EXPECT_TRUE(std::filesystem::exists(run["folder"].get<std::string>() + "/model.onnx"));
    }
  }
  EXPECT_EQ(report.rows[3].structure_of, "l2");
  EXPECT_EQ(report.rows[3].runs[0]["macs"], report.rows[0].runs[0]["macs"]);
  EXPECT_EQ(report.judged_by, "held out");
}

TEST_F(Comparing, what_recovering_is_worth_stands_beside_the_bare_cut) {
  CompareRequest request = asking({"l2", "sfp"});
  request.given.emplace_back(&kRecover, "all");
  request.controls = {};
  for (const RunRow& row : compare(request, watcher_).rows) {
    EXPECT_TRUE(row.runs.at(0)["surgery"].is_number()) << row.name;
    EXPECT_TRUE(row.runs.at(0)["recovered"].is_number()) << row.name;
  }
}

TEST_F(Comparing, a_method_that_cannot_work_is_a_row_that_says_why) {
  const CompareReport report = compare(asking({"bn-scale", "l2"}), watcher_);
  EXPECT_TRUE(report.rows[0].runs.empty());
  EXPECT_TRUE(holds(report.rows[0].why_not, "BatchNormalization")) << report.rows[0].why_not;
  EXPECT_EQ(report.rows[1].runs.size(), 1u);
  EXPECT_EQ(report.rows[3].structure_of, "l2") << "the first that works";
  EXPECT_EQ(to_json(report)["rows"][0]["why_not"], report.rows[0].why_not);
}

TEST_F(Comparing, every_control_is_of_the_first_methods_pruning) {
  CompareRequest request = asking({"l2"});
  request.controls = {"scratch-b", "lr-rewind"};
  const CompareReport report = compare(request, watcher_);
  ASSERT_EQ(names_of(report), (std::vector<std::string>{"l2", "scratch-b", "lr-rewind"}));
  for (const RunRow& row : report.rows) {
    EXPECT_EQ(row.why_not, "") << row.name;
    EXPECT_EQ(row.runs.at(0)["macs"], report.rows[0].runs[0]["macs"]) << row.name;
  }
  EXPECT_GT(report.rows[1].runs[0]["epochs"], 2) << "as much computation as the dense net's two";
  EXPECT_EQ(report.rows[2].runs[0]["epochs"], 2);
  EXPECT_EQ(report.rows[2].runs[0]["surgery"], report.rows[0].runs[0]["surgery"]) << "the same cut";
}

TEST_F(Comparing, runs_that_are_done_are_not_repeated) {
  const CompareReport first = compare(asking({"l2"}), watcher_);
  EXPECT_EQ(trainings_, 3);
  CompareRequest more = asking({"l2", "l1"}, 2);
  const CompareReport second = compare(more, watcher_);
  EXPECT_EQ(trainings_, 3 + 5) << "those of l1 and of the second seed";
  EXPECT_EQ(second.rows[0].runs[0], first.rows[0].runs[0]);
  const Json written = Json::parse(read_text(path("compared/compare.json")));
  EXPECT_EQ(written["rows"].size(), 4u);
  EXPECT_EQ(written["rows"][0]["runs"].size(), 2u);
}

TEST_F(Comparing, an_interrupted_run_goes_on_to_the_same_bits) {
  CompareRequest whole = asking({"sfp"});
  whole.folder = path("whole");
  compare(whole, watcher_);
  struct Stopping : HeardWatcher {
    void progress(const Progress& progress) override {
      stops = stops || (progress.unit == "batches" && progress.done > 3);
    }
  } stopping;
  EXPECT_THROW(compare(asking({"sfp"}), stopping), Error);
  ASSERT_TRUE(std::filesystem::exists(path("compared/sfp-seed5/run/checkpoint")));
  EXPECT_FALSE(std::filesystem::exists(path("compared/compare.json")));
  compare(asking({"sfp"}), watcher_);
  for (const char* name : {"sfp-seed5", "scratch-e-seed5"}) {
    EXPECT_EQ(sha256_of_file(path("whole/" + std::string(name) + "/model.onnx")),
              sha256_of_file(path("compared/" + std::string(name) + "/model.onnx")))
        << name;
  }
}

TEST_F(Comparing, a_folder_of_another_request_is_refused) {
  compare(asking({"l2"}), watcher_);
  CompareRequest other = asking({"l2"});
  other.given.front().second = "0.4";
  const std::string message = refusal([&] { compare(other, watcher_); });
  EXPECT_TRUE(holds(message, "another request") && holds(message, "--keep-macs")) << message;
}

TEST_F(Comparing, says_which_run_of_how_many_goes_on) {
  compare(asking({"l2"}), watcher_);
  EXPECT_NE(std::ranges::find(watcher_.remarks, "run 2 of 3: random, seed 5"),
            watcher_.remarks.end());
  EXPECT_TRUE(std::ranges::any_of(watcher_.progresses, [](const Progress& progress) {
    return progress.doing.starts_with("run 3 of 3, scratch-e, seed 5: ");
  }));
}

TEST_F(Comparing, what_no_method_can_be_asked_is_refused_before_anything_runs) {
  const auto refused = [&](const std::function<void(CompareRequest&)>& change,
                           std::vector<std::string> methods = {"l2", "slimming"}) {
    CompareRequest request = asking(std::move(methods));
    change(request);
    return refusal([&] { compare(request, watcher_); });
  };
  const auto nothing = [](CompareRequest&) {};
  EXPECT_TRUE(holds(refused(nothing, {"magnitude"}), "doesn't cut channels"));
  EXPECT_TRUE(holds(refused(nothing, {"l2", "l2"}), "named twice"));
  EXPECT_TRUE(holds(refused(nothing, {"scratch-b"}), "is a control; name it by --controls"));
  EXPECT_TRUE(holds(refused(nothing, {"magic"}), "unknown method"));
  EXPECT_TRUE(holds(refused([](CompareRequest& r) { r.controls = {"dense"}; }), "unknown control"));
  EXPECT_TRUE(holds(refused([](CompareRequest& r) { r.given.emplace_back(&kRounds, "2"); }),
                    "--rounds isn't an option of 'l2'"));
  EXPECT_TRUE(
      holds(refused([](CompareRequest& r) { r.given.erase(r.given.begin() + 4); }), "--epochs"));
  EXPECT_TRUE(holds(refused([](CompareRequest& r) { r.given.emplace_back(&kPruneRatio, "0.3"); }),
                    "2 budgets"));
  EXPECT_EQ(trainings_, 0);
}

TEST_F(Comparing, compares_all_methods_that_cut_channels_where_none_is_named) {
  CompareRequest request = asking({});
  request.controls = {};
  const CompareReport report = compare(request, watcher_);
  size_t structured = 0;
  for (const Method& method : methods()) {
    structured += method.kind == Method::Kind::structured && !method.searches;
  }
  EXPECT_EQ(report.rows.size(), structured);
  for (const RunRow& row : report.rows) {
    EXPECT_NE(row.runs.empty(), row.why_not.empty()) << row.name;
  }
}

TEST(ComparedFigures, mean_and_deviation_are_of_the_runs_that_have_them) {
  const MeanAndDeviation found = mean_and_deviation(
      {{{"seed", 1}, {"a", 1.0}, {"b", nullptr}}, {{"seed", 2}, {"a", 3.0}, {"b", 4.0}}});
  EXPECT_EQ(found.mean["a"], 2.0);
  EXPECT_NEAR(found.deviation["a"].get<double>(), std::sqrt(2.0), 1e-12);
  EXPECT_EQ(found.mean["b"], 4.0);
  EXPECT_FALSE(found.deviation.contains("b"));
  EXPECT_FALSE(found.mean.contains("seed"));
}

}  // namespace
}  // namespace coppice
