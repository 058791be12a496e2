// Prunings beside their controls, with a trainer that only pretends to train.
#include "tasks/runs/controls.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "methods/options/blocks.h"
#include "methods/scratch/given_structure.h"
#include "model/load.h"
#include "model/plan_file.h"
#include "session/options/data_options.h"
#include "session/options/training_options.h"
#include "support/fake_session.h"
#include "support/tiny_task.h"

namespace coppice {
namespace {

class Controls : public TinyTask {
 protected:
  Controls() { write("net.onnx", parse_text_graph(fake::kNet)); }

  PruneRequest asking(const std::string& method, const Request& options, const Request& controls) {
    PruneRequest request{.model = path("net.onnx"),
                         .output = path("small.onnx"),
                         .method = method,
                         .settings = Settings(options_of(find_method(method))),
                         .controls = Settings(control_options()),
                         .latency = false,
                         .common = common(5)};
    set(request.settings, {{"data", data()},
                           {"preprocess", "scale=1/255"},
                           {"epochs", "2"},
                           {"batch", "8"},
                           {"lr", "0.01"}});
    set(request.settings, options);
    set(request.controls, controls);
    return request;
  }
  static void set(Settings& settings, const Request& values) {
    for (const auto& [name, value] : values) {
      const OptionList& options = settings.options();
      const auto use = std::ranges::find_if(
          options, [&, n = name](const OptionUse& u) { return u.option->name() == n; });
      ASSERT_NE(use, options.end()) << name;
      settings.set(*use->option, value);
    }
  }
  const RunRow& row(const PruneReport& report, const std::string& name) const {
    return *std::ranges::find(report.rows, name, &RunRow::name);
  }
  std::string refusal(const PruneRequest& request) {
    return fake::message_of(ErrorKind::usage, [&] { prune(request, watcher_); });
  }
  std::string control(const std::string& name, const std::string& file) const {
    return path("small.run/controls/" + name + "/" + file);
  }
};

const Request kHalf = {{"prune-ratio", "0.5"}, {"round-to", "1"}};
const Request kAll = {{"control", "random,scratch-e,scratch-b,lr-rewind"}, {"control-lr", "0.05"}};

TEST_F(Controls, stand_beside_a_pruning_with_its_structure_and_their_own_training) {
  Request controls = kAll;
  controls.emplace_back("control-epochs", "3");
  const PruneReport report = prune(asking("l2", kHalf, controls), watcher_);
  ASSERT_EQ(report.rows.size(), 5u);
  EXPECT_EQ(report.rows[0].name, "l2");
  for (const RunRow& each : report.rows) {
    EXPECT_EQ(each.why_not, "") << each.name;
    EXPECT_EQ(each.runs.at(0)["macs"], report.summary.after.costs.macs) << each.name;
    EXPECT_TRUE(each.runs[0]["held_out"].is_number()) << each.name;
  }
  const auto trained = [&](const std::string& name) {
    const Json& run = row(report, name).runs[0];
    return std::pair(run["epochs"].get<int64_t>(), run["learning_rate"].get<double>());
  };
  EXPECT_EQ(trained("l2"), std::pair(int64_t{2}, 0.01));
  EXPECT_EQ(trained("random"), trained("l2")) << "tuned alike";
  EXPECT_EQ(trained("scratch-e"), std::pair(int64_t{3}, 0.05)) << "as the dense net";
  EXPECT_EQ(trained("lr-rewind"), trained("scratch-e"));
  EXPECT_GT(trained("scratch-b").first, 3);
  EXPECT_EQ(row(report, "lr-rewind").runs[0]["surgery"], report.rows[0].runs[0]["surgery"]);
  const Json json = to_json(report);
  EXPECT_EQ(json["controls"][1]["name"], "random");
  EXPECT_EQ(json["controls"][1]["folder"], path("small.run/controls/random"));
  EXPECT_NE(
      json["command"].get<std::string>().find("--control random,scratch-e,scratch-b,lr-rewind"),
      std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path("small.run/checkpoint")));
}

TEST_F(Controls, have_the_same_widths_but_other_channels_and_no_teacher_from_scratch) {
  prune(asking("l2", kHalf, kAll), watcher_);
  const Plan own = read_plan(path("small.plan.json"));
  const auto plan_of = [&](const char* name) { return read_plan(control(name, "plan.json")); };
  EXPECT_EQ(plan_of("scratch-b").slices, own.slices);
  EXPECT_EQ(plan_of("lr-rewind").slices, own.slices);
  EXPECT_NE(plan_of("random").slices, own.slices);
  for (const char* name : {"scratch-e", "random"}) EXPECT_EQ(plan_of(name).structure, "predefined");
  const Json report = Json::parse(read_text(control("scratch-e", "report.json")));
  EXPECT_EQ(report["training"]["distillation"], 0);
  EXPECT_EQ(report["structure"], "predefined");
}

TEST_F(Controls, of_masks_have_as_many_zeros_in_every_layer) {
  const PruneReport report =
      prune(asking("magnitude", {{"sparsity", "0.5"}, {"scope", "global"}}, kAll), watcher_);
  const Plan own = read_plan(path("small.plan.json"));
  for (const RunRow& each : report.rows) EXPECT_EQ(each.why_not, "") << each.name;
  for (const char* name : {"random", "scratch-e", "scratch-b", "lr-rewind"}) {
    const Plan plan = read_plan(control(name, "plan.json"));
    const Graph graph = load_model(control(name, "model.onnx"), 0).graph;
    for (const auto& [weight, mask] : own.masks) {
      const auto weights = graph.value(*find_value(graph, weight)).constant->as<float>();
      EXPECT_EQ(std::ssize(weights) - std::ranges::count(weights, 0.0f), nonzeros_of(mask)) << name;
    }
    EXPECT_EQ(plan.masks == own.masks, std::string(name) != "random");
    EXPECT_EQ(plan.structure, "automatic");
  }
  EXPECT_GT(row(report, "scratch-b").runs[0]["epochs"], 2) << "zeros cost nothing";
}

TEST_F(Controls, of_a_method_that_trains_before_its_cut_rewind_what_comes_after) {
  Request options = kHalf;
  options.insert(options.end(), {{"lambda", "0.01"}, {"tune-epochs", "1"}, {"tune-lr", "0.001"}});
  const PruneReport report = prune(asking("slimming", options, kAll), watcher_);
  for (const RunRow& each : report.rows) EXPECT_EQ(each.why_not, "") << each.name;
  const Json &own = report.rows[0].runs[0], &rewound = row(report, "lr-rewind").runs[0];
  EXPECT_EQ(own["epochs"], 3);
  EXPECT_EQ(rewound["epochs"], 4) << "two for sparsity, as they were";
  EXPECT_EQ(rewound["learning_rate"], 0.05);
  EXPECT_EQ(rewound["surgery"], own["surgery"]);
  EXPECT_EQ(read_plan(control("lr-rewind", "plan.json")).slices,
            read_plan(path("small.plan.json")).slices);
  EXPECT_EQ(row(report, "random").runs[0]["epochs"], 1) << "tuned alike";
  EXPECT_EQ(row(report, "random").runs[0]["learning_rate"], 0.001);
  EXPECT_EQ(report.structure, "automatic");
}

TEST_F(Controls, that_cannot_be_are_rows_that_say_why_and_the_others_go_on) {
  const PruneReport report =
      prune(asking("deep-compression", {{"sparsity", "0.5"}, {"rounds", "1"}},
                   {{"control", "lr-rewind,scratch-e"}}),
            watcher_);
  EXPECT_NE(row(report, "lr-rewind").why_not.find("nothing to rewind"), std::string::npos);
  EXPECT_EQ(to_json(report)["controls"][1]["why_not"], row(report, "lr-rewind").why_not);
  EXPECT_EQ(row(report, "scratch-e").runs.size(), 1u);
}

TEST_F(Controls, begin_once_the_pruning_is_written_and_go_on_where_they_were_stopped) {
  struct Stopping : HeardWatcher {
    std::string at;
    void progress(const Progress& progress) override {
      stops = stops || (progress.doing.find(at) != std::string::npos && progress.done > 3);
    }
  } stopping;
  stopping.at = "scratch-b";
  PruneRequest request = asking("l2", kHalf, {{"control", "random,scratch-b"}});
  EXPECT_THROW(prune(request, stopping), Error);
  EXPECT_TRUE(std::filesystem::exists(path("small.onnx")));
  EXPECT_TRUE(std::filesystem::exists(path("small.plan.json")));
  ASSERT_TRUE(std::filesystem::exists(control("scratch-b", "run/checkpoint")));
  const std::string sum = sha256_of_file(path("small.onnx"));
  EXPECT_NE(refusal(request).find("--resume"), std::string::npos);
  request.resume = true;
  trainings_ = 0;
  const PruneReport report = prune(request, watcher_);
  EXPECT_EQ(trainings_, 2) << "the pruning's, with nothing left to do, and scratch-b";
  EXPECT_EQ(sha256_of_file(path("small.onnx")), sum);
  EXPECT_EQ(report.rows.size(), 3u);
  EXPECT_FALSE(std::filesystem::exists(path("small.run/checkpoint")));
  const std::string stopped = sha256_of_file(control("scratch-b", "model.onnx"));
  request.resume = false;
  prune(request, watcher_);
  EXPECT_EQ(sha256_of_file(control("scratch-b", "model.onnx")), stopped) << "in one go";
}

TEST_F(Controls, of_another_request_are_not_gone_on_with) {
  prune(asking("l2", kHalf, {{"control", "random"}}), watcher_);
  PruneRequest other = asking("l1", kHalf, {{"control", "random"}});
  other.resume = true;
  EXPECT_NE(refusal(other).find("holds a run of another request"), std::string::npos);
}

TEST_F(Controls, that_say_nothing_are_refused_before_anything_is_read) {
  const auto refused = [&](const std::string& method, const Request& options,
                           const Request& controls) {
    PruneRequest request = asking(method, options, controls);
    request.model = path("no such file");
    return refusal(request);
  };
  EXPECT_NE(refused("l2", {}, {{"control-epochs", "3"}}).find("add --control"), std::string::npos);
  EXPECT_NE(refused("dsd", {}, {{"control", "random"}}).find("leaves nothing pruned"),
            std::string::npos);
  EXPECT_NE(refused("scratch-e", {}, {{"control", "random"}}).find("is a control itself"),
            std::string::npos);
  PruneRequest untrained{.model = path("net.onnx"),
                         .output = path("small.onnx"),
                         .settings = Settings(options_of(find_method("l2"))),
                         .controls = Settings(control_options())};
  untrained.controls.set(kControl, "random");
  EXPECT_NE(refusal(untrained).find("add --data SPEC and --epochs N"), std::string::npos);
  EXPECT_FALSE(controls_in("random,"));
  EXPECT_FALSE(controls_in("random,random"));
  EXPECT_FALSE(controls_in("lottery"));
}

TEST_F(Controls, a_structure_comes_from_a_plan_or_a_model_and_a_resumed_run_needs_the_same) {
  prune(asking("l2", kHalf, {}), watcher_);
  PruneRequest of_plan = asking("scratch-e", {{"structure", path("small.plan.json")}}, {});
  of_plan.output = path("plan_again.onnx");
  PruneRequest of_model = asking("scratch-e", {{"structure", path("small.onnx")}}, {});
  of_model.output = path("model_again.onnx");
  const PruneReport by_plan = prune(of_plan, watcher_), by_model = prune(of_model, watcher_);
  EXPECT_EQ(by_plan.summary.after.costs.macs, by_model.summary.after.costs.macs);
  EXPECT_TRUE(by_plan.summary.verified);
  EXPECT_EQ(by_plan.structure, "predefined") << "as its plan says";
  EXPECT_NE(by_model.summary.unproved.find("small.onnx"), std::string::npos);
  EXPECT_EQ(by_model.structure, "");
  EXPECT_EQ(to_json(by_plan)["training"]["scratch_epochs"], 2);
  // Nothing is written over what is read.
  of_plan.plan = path("small.plan.json");
  EXPECT_NE(refusal(of_plan).find("is also an input"), std::string::npos);
}

}  // namespace
}  // namespace coppice
