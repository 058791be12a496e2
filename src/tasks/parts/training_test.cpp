// The one path of everything that trains, with a trainer that only pretends to.
#include "tasks/parts/training.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "data/formats/npy.h"
#include "methods/options/blocks.h"
#include "methods/unstructured/weight_sharing.h"
#include "onnx/onnx.h"
#include "support/fake_session.h"
#include "support/fake_trainer.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"
#include "support/watcher.h"
#include "tasks/forms/compress.h"
#include "tasks/eval.h"
#include "tasks/prune.h"
#include "tasks/train.h"

namespace coppice {
namespace {

constexpr int64_t kImages = 60, kClasses = 3;

// Images of three brightnesses, and models that tell them apart, or don't.
class TrainingTasks : public testing::Test {
 protected:
  TrainingTasks() {
    Tensor pixels = Tensor::zeros(DType::u8, {kImages, 1, 4, 4});
    Tensor labels = Tensor::zeros(DType::i64, {kImages});
    for (int64_t i = 0; i < kImages; ++i) {
      labels.mutate<int64_t>()[i] = i % kClasses;
      for (int64_t p = 0; p < 16; ++p) {
        pixels.mutate<uint8_t>()[i * 16 + p] = static_cast<uint8_t>(100 * (i % kClasses));
      }
    }
    write("x.npy", pixels);
    write("y.npy", labels);
    data_ = "npy:" + path("x.npy") + "," + path("y.npy");
    common_.open_trainer = [](const TrainerOptions&) { return std::make_unique<FakeTrainer>(); };
  }

  std::string path(const std::string& name) const { return dir_ / name; }

  void write(const std::string& name, const Tensor& tensor) const {
    AtomicFile file(path(name));
    write_npy(tensor, file);
    file.commit();
  }

  std::string model(const std::string& text) const {
    AtomicFile file(path("model.onnx"));
    write_onnx(parse_text_graph(text), file, {});
    file.commit();
    return path("model.onnx");
  }
  std::string ignorant() const { return model(fake::kNet); }
  // Gets all three brightnesses right: scores s, 2 s - 100 and 3 s - 300 of the mean s.
  std::string knowing() const {
    return model(R"(
        input x float32 [N, 1, 4, 4]
        const w1 float32 [2, 1, 1, 1] = 1 1
        const w2 float32 [3, 2] = 0.5 0.5 1 1 1.5 1.5
        const b float32 [3] = 0 -50 -200
        a = Conv(x, w1)
        g = GlobalAveragePool(a)
        f = Flatten(g)
        y = Gemm(f, w2, b) {transB=1}
        output y)");
  }

  Settings with_data(Settings settings, Request more = {}) const {
    more.emplace_back("batch", "8");
    settings.set(kData, data_);
    settings.set(kPreprocess, "scale=1");
    for (const OptionUse& use : settings.options()) {
      for (const auto& [name, value] : more) {
        if (use.option->name() == name) settings.set(*use.option, value);
      }
    }
    return settings;
  }
  TrainRequest training(const std::string& model, const Request& more = {}) const {
    return {.model = model,
            .output = path("out.onnx"),
            .settings = with_data(Settings(options_of_train()), more),
            .common = common_};
  }
  PruneRequest pruning(const std::string& model, Request more = {}) const {
    more.insert(more.end(), {{"epochs", "1"}, {"keep-macs", "0.5"}, {"round-to", "1"}});
    return {.model = model,
            .output = path("out.onnx"),
            .settings = with_data(Settings(options_of(find_method("l2"))), more),
            .latency = false,
            .common = common_};
  }
  template <typename Request, typename Task>
  std::string refusal(const Request& request, Task task, ErrorKind kind = ErrorKind::input) {
    try {
      task(request, watcher_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what();
    }
    return "not refused";
  }

  TempDir dir_;
  std::string data_;
  CommonRequest common_;
  HeardWatcher watcher_;
};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool hold(const std::vector<std::string>& texts, const std::string& part) {
  return std::ranges::any_of(texts, [&](const std::string& text) { return holds(text, part); });
}

TEST_F(TrainingTasks, a_file_that_gets_next_to_nothing_right_is_refused_with_the_ways_out) {
  const std::string message = refusal(training(ignorant()), train);
  for (const char* part : {"--from-scratch", "--lr 0.03", "--distill 1"}) {
    EXPECT_TRUE(holds(message, part)) << message;
  }
  EXPECT_FALSE(std::filesystem::exists(path("out.onnx")));
}

TEST_F(TrainingTasks, who_says_that_it_is_untrained_trains_it_unwarned) {
  const TrainReport report = train(training(ignorant(), {{"from-scratch", "true"}}), watcher_);
  EXPECT_EQ(report.training["learning_rate"], 0.1);
  EXPECT_FALSE(hold(watcher_.warnings, "labels")) << watcher_.warnings.front();
  EXPECT_TRUE(std::filesystem::exists(path("out.onnx")));
}

TEST_F(TrainingTasks, who_gives_a_rate_trains_it_and_is_warned) {
  train(training(ignorant(), {{"lr", "0.05"}}), watcher_);
  EXPECT_TRUE(hold(watcher_.warnings, "held-out images")) << watcher_.warnings.size();
}

TEST_F(TrainingTasks, an_original_that_knows_nothing_does_not_teach_its_cut) {
  const PruneReport ignorant_one = prune(pruning(ignorant(), {{"lr", "0.05"}}), watcher_);
  EXPECT_EQ(ignorant_one.training["distillation"], 0);
}

TEST_F(TrainingTasks, one_that_knows_enough_teaches) {
  const PruneReport report = prune(pruning(knowing()), watcher_);
  EXPECT_EQ(report.training["distillation"], 0.9);
  EXPECT_EQ(report.summary.before.accuracy->top1, 1);
  EXPECT_TRUE(report.summary.trained);
  EXPECT_EQ(report.judging["judged_by"], "held out");
  EXPECT_EQ(to_json(report)["before"]["top1"], 1);
}

TEST_F(TrainingTasks, the_three_that_train_say_the_same_of_it) {
  CompressRequest tuning{.model = knowing(),
                         .output = path("out.coppice"),
                         .settings = with_data(Settings(options_of_compress()), {{"bits", "4"}}),
                         .common = common_};
  const Json reports[] = {
      to_json(train(training(knowing(), {{"epochs", "1"}}), watcher_)),
      to_json(prune(pruning(knowing()), watcher_)),
      to_json(compress(tuning, watcher_)),
  };
  for (const Json& report : reports) {
    ASSERT_TRUE(report.contains("training")) << report;
    for (const char* key : {"epochs", "images", "kept", "learning_rate", "history", "stages",
                            "parameters", "remarks"}) {
      EXPECT_TRUE(report["training"].contains(key)) << key;
    }
    EXPECT_EQ(report["training"]["images"][name_of(Part::held_out)], 6);
    EXPECT_EQ(report["preprocess_from"], "--preprocess");
  }
}

TEST_F(TrainingTasks, the_result_carries_its_preprocessing) {
  train(training(knowing(), {{"epochs", "1"}}), watcher_);
  EXPECT_EQ(metadata(read_onnx(path("out.onnx")), kPreprocessKey),
            to_string(parse_preprocessing("scale=1")));
}

TEST_F(TrainingTasks, an_unfinished_run_goes_on_only_where_that_is_asked_for) {
  struct Stopping : HeardWatcher {
    void progress(const Progress& progress) override {
      stops = progress.unit == "batches" && progress.done > 0;
    }
  } stopping;
  TrainRequest request = training(knowing(), {{"epochs", "3"}});
  EXPECT_THROW(train(request, stopping), Error);
  const std::filesystem::path checkpoint = path("out.run/checkpoint");
  ASSERT_TRUE(std::filesystem::exists(checkpoint));
  EXPECT_TRUE(holds(refusal(request, train, ErrorKind::usage), "holds an unfinished run"));
  request.resume = true;
  train(request, watcher_);
  EXPECT_TRUE(hold(watcher_.remarks, "going on from epoch 1"));
  EXPECT_FALSE(std::filesystem::exists(checkpoint));
}

TEST_F(TrainingTasks, eval_judges_by_all_there_is_and_says_so) {
  const EvalReport report =
      eval({.model = knowing(), .settings = with_data(Settings(data_options()))}, watcher_);
  EXPECT_EQ(report.found.top1, 1);
  EXPECT_EQ(report.found.images, kImages);
  EXPECT_EQ(report.judged_by, "training images");
  EXPECT_EQ(to_json(report)["engine"], "runtime");
}

TEST_F(TrainingTasks, progress_begins_at_what_was_done_and_ends_with_all) {
  train(training(knowing(), {{"epochs", "2"}}), watcher_);
  std::vector<Progress> training;
  for (const Progress& progress : watcher_.progresses) {
    if (progress.unit == "batches") training.push_back(progress);
  }
  ASSERT_FALSE(training.empty());
  EXPECT_EQ(training.front().done, 0);
  EXPECT_EQ(training.back().done, training.back().total);
  EXPECT_TRUE(holds(training.back().note, "epoch 2 of 2"));
}

TEST(StartOf, a_net_of_the_zoo_is_untrained_and_a_file_is_what_the_task_says) {
  EXPECT_EQ(start_of("zoo:lenet5", Start::pruned), Start::untrained);
  EXPECT_EQ(start_of("lenet5.onnx", Start::pruned), Start::pruned);
  EXPECT_EQ(start_of("lenet5.onnx", Start::trained), Start::trained);
}

TEST(RequestOf, holds_what_decides_the_result_and_no_defaults) {
  Settings settings(options_of_train());
  settings.set(kLearningRate, "0.5");
  settings.set(kMomentum, "0.9");
  const Request expected = {
      {"command", "train"}, {"model", "abc"}, {"--method", "l2"}, {"--lr", "0.5"}, {"--seed", "3"}};
  EXPECT_EQ(request_of("train", "abc", settings, 3, {{"--method", "l2"}}), expected);
}

TEST(DefaultRunFolder, lies_beside_the_result) {
  EXPECT_EQ(default_run_folder("a/small.onnx"), "a/small.run");
  EXPECT_EQ(default_run_folder("a/small.coppice"), "a/small.coppice.run");
  EXPECT_EQ(with_run_folder({.run_folder = "mine"}, "a/small.onnx").run_folder, "mine");
}

}  // namespace
}  // namespace coppice
