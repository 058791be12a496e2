// What a training leaves behind: nothing of a start that failed, and enough of a finished run to
// train it on.
#include "tasks/parts/training/kept_state.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "support/fake_session.h"
#include "support/tiny_task.h"
#include "tasks/prune.h"
#include "tasks/train.h"

namespace coppice {
namespace {

class KeptState : public TinyTask {
 protected:
  KeptState() { write("net.onnx", parse_text_graph(fake::kNet)); }

  TrainRequest training(const std::string& epochs, bool resume = false) {
    TrainRequest request{.model = path("net.onnx"),
                         .output = path("out.onnx"),
                         .settings = Settings(options_of_train()),
                         .resume = resume,
                         .common = common(1)};
    set(request.settings, epochs);
    return request;
  }

  void set(Settings& settings, const std::string& epochs) const {
    settings.set(kData, data());
    settings.set(kPreprocess, "scale=1");
    settings.set(kEpochs, epochs);
    settings.set(kFromScratch, "true");
    for (const OptionUse& use : settings.options()) {
      if (use.option->name() == "batch") settings.set(*use.option, "8");
    }
  }

  std::string refused(TrainRequest request) {
    try {
      train(request, watcher_);
    } catch (const Error& error) {
      return error.what();
    }
    return "not refused";
  }

  bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }
};

TEST_F(KeptState, of_a_run_that_fails_before_its_first_update_is_nothing) {
  PruneRequest request{.model = path("net.onnx"),
                       .output = path("out.onnx"),
                       .settings = Settings(options_of(find_method("l2"))),
                       .latency = false,
                       .common = common(1)};
  set(request.settings, "2");
  request.common.open_trainer = [](const TrainerOptions&) {
    auto trainer = std::make_unique<FakeTrainer>();
    trainer->loss_at[1] = std::numeric_limits<double>::quiet_NaN();
    return trainer;
  };
  EXPECT_THROW(prune(request, watcher_), Error);
  EXPECT_FALSE(exists("out.run/checkpoint")) << "the cut was saved";
  request.common = common(1);
  prune(request, watcher_);
  EXPECT_TRUE(exists("out.onnx"));
}

TEST_F(KeptState, of_a_finished_run_says_so_and_more_epochs_go_on_from_it) {
  train(training("2"), watcher_);
  EXPECT_FALSE(exists("out.run/checkpoint"));
  const std::string sum = sha256_of_file(path("out.onnx"));
  EXPECT_NE(refused(training("2", true)).find("is finished after 2 epochs; --epochs 4 would"),
            std::string::npos);
  EXPECT_NE(refused(training("1", true)).find("is finished"), std::string::npos);
  EXPECT_EQ(sha256_of_file(path("out.onnx")), sum);
  const TrainReport report = train(training("4", true), watcher_);
  EXPECT_EQ(report.training["history"].size(), 4u);
  EXPECT_EQ(report.training["history"][2]["epochs"], 4);
  EXPECT_NE(sha256_of_file(path("out.onnx")), sum);
  EXPECT_NE(refused(training("4", true)).find("finished after 4 epochs"), std::string::npos);
}

TEST_F(KeptState, of_a_finished_run_is_no_obstacle_to_the_next) {
  train(training("2"), watcher_);
  const TrainReport report = train(training("3"), watcher_);
  EXPECT_EQ(report.training["history"].size(), 3u);
}

TEST_F(KeptState, of_a_run_that_was_asked_for_otherwise_is_refused_with_the_option) {
  train(training("2"), watcher_);
  TrainRequest other = training("4", true);
  other.settings.set(kLearningRate, "0.5");
  EXPECT_NE(refused(other).find("--lr"), std::string::npos);
}

}  // namespace
}  // namespace coppice
