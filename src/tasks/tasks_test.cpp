// Everything that the commands do, done by functions: request in, report out.
#include <gtest/gtest.h>

#include "codec/container/codec.h"
#include "core/error.h"
#include "methods/options/blocks.h"
#include "methods/unstructured/weight_sharing.h"
#include "model/load.h"
#include "prune/runtimes/runtimes.h"
#include "session/options/data_options.h"
#include "session/options/training_options.h"
#include "support/temp_dir.h"
#include "support/watcher.h"
#include "tasks/apply.h"
#include "tasks/running/bench.h"
#include "tasks/catalogue.h"
#include "tasks/forms/compress.h"
#include "tasks/prune.h"
#include "tasks/verify.h"
#include "tasks/write_zoo.h"

namespace coppice {
namespace {

class Tasks : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return dir_ / name; }

  std::string lenet() const {
    write_zoo({.name = "lenet5", .output = path("lenet.onnx"), .common = {.seed = 1}});
    return path("lenet.onnx");
  }

  // Without latency: it takes seconds.
  PruneRequest pruning(const std::string& method = "l2") const {
    return {.model = lenet(),
            .output = path("small.onnx"),
            .method = method,
            .settings = Settings(options_of(find_method(method))),
            .latency = false};
  }

  TempDir dir_;
  HeardWatcher watcher_;
};

std::string refusal(ErrorKind kind, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "not refused";
}

TEST_F(Tasks, prune_apply_and_verify_agree) {
  PruneRequest request = pruning();
  request.settings.set(kKeepMacs, "0.4");
  const PruneReport report = prune(request, watcher_);
  const CutSummary& summary = report.summary;
  EXPECT_EQ(summary.method, "l2");
  EXPECT_LE(summary.after.costs.macs, 0.4 * static_cast<double>(summary.before.costs.macs));
  EXPECT_EQ(summary.after.bytes, static_cast<int64_t>(std::filesystem::file_size(request.output)));
  EXPECT_EQ(summary.plan, path("small.plan.json"));
  EXPECT_TRUE(summary.verified && summary.proof && summary.proof->comparison.equal());
  EXPECT_TRUE(watcher_.warnings.empty());

  const ApplyReport applied =
      apply({.plan = summary.plan, .model = request.model, .output = path("again.onnx")}, watcher_);
  EXPECT_TRUE(applied.same_model);
  EXPECT_EQ(applied.summary.after.costs.macs, summary.after.costs.macs);
  const VerifyReport same = verify(
      {.first = request.model, .second = path("again.onnx"), .plan = summary.plan}, watcher_);
  EXPECT_TRUE(same.found.equal());
  EXPECT_TRUE(same.by_plan && same.by_plan->same_weights && same.by_plan->same_model);
  EXPECT_EQ(to_json(same)["equal"], true);
}

TEST_F(Tasks, a_report_says_in_json_what_was_done_and_how_to_do_it_again) {
  PruneRequest request = pruning();
  request.settings.set(kKeepMacs, "0.4");
  request.common.seed = 7;
  const Json json = to_json(prune(request, watcher_));
  EXPECT_EQ(json["model"], request.model);
  EXPECT_EQ(json["settings"]["keep-macs"], "0.4");
  EXPECT_EQ(json["settings"]["verify"], "on") << "also what wasn't set";
  EXPECT_EQ(json["command"], "coppice prune " + request.model + " -o " + request.output +
                                 " --method l2 --keep-macs 0.4 --for " + usual_runtime().name +
                                 " --latency off --seed 7");
  EXPECT_EQ(json["after"]["parameters"].get<int64_t>(),
            count_weights(load_model(request.output, 0).graph).all +
                json["after"]["parameters"].get<int64_t>() -
                json["after"]["weights"].get<int64_t>());
  EXPECT_FALSE(json.contains("training"));
  EXPECT_FALSE(json.contains("top1"));
}

// A method that keeps what l2 keeps, and remembers how it saw the images that it looks at.
struct Looking {
  int64_t decided_by = 0, recovered_by = 0;  // images

  Looking() {
    Method method = find_method("l2");
    method.name = "looking";
    method.options = joined(method.options, {{&kImages}});
    method.images = [](const Settings& settings) { return settings[kImages]; };
    method.prune = [this](const Graph& graph, const MethodInput& input) {
      const EvidenceRequest request{graph.value(graph.inputs.front()).name, Reduction::pooled};
      decided_by = input.measure(graph, std::span(&request, 1)).at(request).shape()[0];
      if (input.recovering) {
        recovered_by = input.recovering(graph, std::span(&request, 1)).at(request).shape()[0];
      }
      return prune_once(graph, find_criterion("l2"), cutting_of(input));
    };
    add_method(std::move(method));
  }
};

TEST_F(Tasks, a_method_that_looks_at_images_gets_as_many_as_it_asks_for) {
  static Looking looking;
  PruneRequest request = pruning("looking");
  EXPECT_EQ(refusal(ErrorKind::usage, [&] { prune(request, watcher_); }),
            "--method looking looks at how channels respond to images: add --data, for example "
            "cifar10:DIR; 'coppice data' lists the forms");
  request.settings.set(kData, "digits");
  request.settings.set(kPreprocess, "scale=1/255");
  request.settings.set(kImages, "30");
  EXPECT_EQ(to_json(prune(request, watcher_))["images"], 30);
  EXPECT_EQ(looking.decided_by, 30);
  EXPECT_EQ(looking.recovered_by, 0);
  request.settings.set(kRecover, "all");
  request.settings.set(kRecoverImages, "40");
  const Json json = to_json(prune(request, watcher_));
  EXPECT_EQ(json["images"], 30);
  EXPECT_EQ(json["recovered"]["images"], 40);
  EXPECT_EQ(looking.decided_by, 30);
  EXPECT_EQ(looking.recovered_by, 32) << "a fifth of them judges";
}

TEST_F(Tasks, channel_pruning_says_how_wrong_layers_answer_and_how_far_it_is) {
  PruneRequest request = pruning("channel-pruning");
  request.settings.set(kData, "digits");
  request.settings.set(kPreprocess, "scale=1/255");
  request.settings.set(kImages, "900");
  request.settings.set(kKeepMacs, "0.6");
  const Json json = to_json(prune(request, watcher_));
  EXPECT_EQ(json["images"], 900);
  EXPECT_EQ(json["verified"], true);
  ASSERT_FALSE(json["regressed"].empty());
  for (const Json& layer : json["regressed"]) {
    EXPECT_LE(layer["error"].get<double>(), layer["error_chosen"].get<double>() + 1e-6);
    EXPECT_LE(layer["kept"], layer["inputs"]);
  }
  const auto regressing = [](const Progress& progress) { return progress.doing == "regressing"; };
  const auto first = std::ranges::find_if(watcher_.progresses, regressing);
  ASSERT_NE(first, watcher_.progresses.end());
  EXPECT_EQ(first->done, 0);
  EXPECT_GE(std::ranges::count_if(watcher_.progresses, regressing), first->total + 1);
  EXPECT_NE(watcher_.remarks.back().find("mean error of"), std::string::npos);
  EXPECT_EQ(json["command"].get<std::string>().find("--scope"), std::string::npos);
}

TEST_F(Tasks, masks_lie_beside_the_plan_and_are_told) {
  PruneRequest request = pruning("magnitude");
  request.settings.set(kSparsity, "0.75");
  const PruneReport report = prune(request, watcher_);
  EXPECT_TRUE(report.summary.masked);
  EXPECT_NEAR(sparsity(report.summary.density.after.weights), 0.75, 0.001);
  EXPECT_TRUE(std::filesystem::is_directory(path("small.plan.masks")));
}

TEST_F(Tasks, settings_that_contradict_each_other_are_refused_before_anything_is_read) {
  const auto refused = [&](const Option& option, const std::string& value) {
    PruneRequest request = pruning();
    request.model = path("no such file");
    request.settings.set(option, value);
    return refusal(ErrorKind::usage, [&] { prune(request, watcher_); });
  };
  EXPECT_NE(refused(kEpochs, "3").find("training needs --data"), std::string::npos);
  EXPECT_NE(refused(kLearningRate, "0.1").find("is for training"), std::string::npos);
  PruneRequest slimming = pruning("slimming");
  EXPECT_NE(refusal(ErrorKind::usage, [&] { prune(slimming, watcher_); }).find("trains"),
            std::string::npos);
}

TEST_F(Tasks, nothing_is_written_over_what_is_read) {
  PruneRequest request = pruning();
  request.output = request.model;
  EXPECT_NE(refusal(ErrorKind::usage, [&] { prune(request, watcher_); })
                .find("is also an input or output"),
            std::string::npos);
  request = pruning();
  request.common.reads = {request.output};
  EXPECT_NE(refusal(ErrorKind::usage, [&] { prune(request, watcher_); })
                .find("is also an input or output"),
            std::string::npos);
}

TEST_F(Tasks, a_watcher_that_stops_leaves_no_file) {
  PruneRequest request = pruning();
  watcher_.stops = true;
  EXPECT_EQ(refusal(ErrorKind::interrupted, [&] { prune(request, watcher_); }), "interrupted");
  EXPECT_FALSE(std::filesystem::exists(request.output));
  EXPECT_FALSE(std::filesystem::exists(path("small.plan.json")));
}

TEST_F(Tasks, what_is_compressed_comes_back_byte_by_byte) {
  const std::string model = lenet();
  const CompressReport packed =
      compress({.model = model, .output = path("lenet.coppice")}, watcher_);
  EXPECT_EQ(packed.codec.bytes_before, static_cast<int64_t>(std::filesystem::file_size(model)));
  EXPECT_LT(packed.codec.bytes_after, packed.codec.bytes_before);
  EXPECT_FALSE(packed.density.denser());
  decompress({.container = path("lenet.coppice"), .output = path("back.onnx")}, watcher_);
  EXPECT_EQ(read_text(path("back.onnx")), read_text(model));
}

TEST_F(Tasks, shared_values_are_counted_in_the_report) {
  CompressRequest request{.model = lenet(), .output = path("lenet.coppice")};
  request.settings.set(kBits, "4");
  const Json json = to_json(compress(request, watcher_));
  EXPECT_EQ(json["before"]["shared_layers"], 0);
  EXPECT_EQ(json["after"]["shared_layers"], 4);
  EXPECT_EQ(json["tensors"][0]["bits"], 4);
  EXPECT_GT(json["ratio"], 7);
  request.settings = Settings(options_of_compress());
  request.settings.set(kData, "digits");
  EXPECT_NE(refusal(ErrorKind::usage, [&] { compress(request, watcher_); }).find("add --bits"),
            std::string::npos);
}

TEST_F(Tasks, bench_times_a_model_and_its_layers) {
  const BenchReport report =
      bench({.models = {"zoo:lenet5"}, .batch = 2, .layers = true}, watcher_);
  EXPECT_EQ(report.rows.front().batch, 2);
  EXPECT_EQ(report.rows.front().inputs, "2x1x28x28");
  EXPECT_GT(report.rows.front().latency.runs, 0);
  EXPECT_EQ(to_json(report)["layers"].size(), report.layers.size());
  EXPECT_EQ(watcher_.progresses.back().done, watcher_.progresses.back().total);
}

TEST_F(Tasks, bench_takes_turns_and_layers_are_of_one_model) {
  const std::vector<std::string> both = {"zoo:lenet5", "zoo:lenet300-100"};
  const BenchReport report = bench({.models = both}, watcher_);
  ASSERT_EQ(report.rows.size(), 2u);
  EXPECT_EQ(to_json(report)["models"].size(), 2u);
  EXPECT_EQ(refusal(ErrorKind::usage, [&] { bench({.models = both, .layers = true}, watcher_); }),
            "--layers is of one model, found 2");
}

TEST(Catalogue, every_method_is_in_it_with_its_options) {
  const Json list = methods_json();
  ASSERT_EQ(list.size(), methods().size());
  for (const Json& method : list) EXPECT_FALSE(method["options"].empty()) << method["name"];
  EXPECT_FALSE(criteria_json().empty());
  EXPECT_FALSE(data_json().empty());
}

}  // namespace
}  // namespace coppice
