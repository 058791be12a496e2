// Test support: everything a Session needs, small: 40 images that can be told apart, a network of
// 7 channels, a fake trainer, and an observer that stops where it is told. Included only by tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "core/error.h"
#include "data/formats/memory_dataset.h"
#include "onnx/onnx.h"
#include "session/session.h"
#include "session/state/checkpoint.h"
#include "support/fake_trainer.h"

namespace coppice::fake {

// For parse_text_graph, which only tests may include.
inline constexpr char kNet[] = R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [4, 1, 3, 3] random
    const scale float32 [4] positive
    const shift float32 [4] random
    const mean float32 [4] random
    const variance float32 [4] positive
    const w2 float32 [3, 4, 1, 1] random
    const fw float32 [3, 3] random
    const fb float32 [3] random
    a = Conv(x, w1) {pads=[1, 1, 1, 1]}
    n = BatchNormalization(a, scale, shift, mean, variance)
    r = Relu(n)
    c = Conv(r, w2)
    g = GlobalAveragePool(c)
    f = Flatten(g)
    y = Gemm(f, fw, fb) {transB=1}
    output y)";

// The first pixel of image i is i + 1, its label i % classes.
inline std::unique_ptr<Dataset> images(int64_t classes = 3, int64_t count = 40) {
  const auto bytes = std::make_shared<std::vector<std::byte>>(count * 16);
  MemoryImages all;
  all.name = "tiny";
  all.classes = classes;
  all.shape = {1, 4, 4};
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t p = 0; p < 16; ++p) (*bytes)[i * 16 + p] = std::byte((i * (p + 1) * 7) % 251);
    (*bytes)[i * 16] = std::byte(i + 1);
    all.labels.push_back(i % classes);
  }
  all.parts.push_back({bytes, std::span(*bytes), 16, count});
  return make_memory_dataset(std::move(all));
}

inline Recipe recipe(int64_t epochs = 3) {
  Recipe recipe;
  recipe.epochs = epochs;
  recipe.batch = 8;
  recipe.optimizer.learning_rate = 0.05;
  recipe.seed = 11;
  return recipe;
}

struct Watcher : Observer {
  int64_t stop_after = -1;  // steps
  int64_t steps = 0;
  int64_t stop_after_stages = -1;
  std::vector<EpochRecord> epochs;
  std::vector<StageRecord> stages;
  std::vector<std::string> remarks;
  std::function<void()> after_step, after_epoch;  // the latter: it is saved

  void step(const StepRecord&) override {
    ++steps;
    if (after_step) after_step();
  }
  void epoch(const EpochRecord& record) override {
    epochs.push_back(record);
    if (after_epoch) after_epoch();
  }
  void stage(const StageRecord& record) override {
    stages.push_back(record);
    if (std::ssize(stages) == stop_after_stages) throw Error(ErrorKind::interrupted, "stopped");
  }
  void remark(const std::string& text) override { remarks.push_back(text); }
  bool stop_requested() override { return steps == stop_after; }
};

// A session with all it refers to. 30 images are trained on in 3 batches, 10 are held out.
struct Fixture {
  std::unique_ptr<Dataset> dataset = images();
  FakeTrainer trainer;
  Watcher watcher;
  std::optional<Session> opened;

  Session& open(const Graph& graph, SessionOptions options = {}, double held_out = 0.25) {
    return opened.emplace(graph, SessionData{dataset.get(), {}, {.held_out = held_out}}, trainer,
                          watcher, std::move(options));
  }
};

inline std::string bytes_of(const Graph& graph) {
  std::string bytes;
  serialise_onnx(graph, [&](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return bytes;
}

// What `run` makes of the graph, as bytes: in one go where `stop_after` is negative, else stopped
// after so many steps and gone on with by a session of its own.
inline std::string bytes_after_stop(const Graph& graph, const std::filesystem::path& checkpoint,
                                    int64_t stop_after, const std::function<Graph(Session&)>& run) {
  Fixture first;
  first.watcher.stop_after = stop_after;
  Session& session = first.open(graph, {.checkpoint = checkpoint});
  if (stop_after < 0) return bytes_of(run(session));
  EXPECT_THROW(run(session), Error);
  Fixture second;
  Session& again = second.open(graph, {.checkpoint = checkpoint});
  again.resume(read_checkpoint(checkpoint));
  return bytes_of(run(again));
}

inline const Tensor& tensor(const Graph& graph, const std::string& name) {
  return *graph.value(*find_value(graph, name)).constant;
}

inline std::string message_of(ErrorKind kind, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "(no error)";
}

inline void expect_same(const Evaluation& a, const Evaluation& b) {
  EXPECT_EQ(a.top1, b.top1);
  EXPECT_EQ(a.top5, b.top5);
  EXPECT_TRUE(a.loss == b.loss || (std::isnan(a.loss) && std::isnan(b.loss))) << a.loss << b.loss;
  EXPECT_EQ(a.images, b.images);
  EXPECT_EQ(a.batch, b.batch);
}

inline void expect_same(const std::optional<Evaluation>& a, const std::optional<Evaluation>& b) {
  ASSERT_EQ(a.has_value(), b.has_value());
  if (a) expect_same(*a, *b);
}

// But for the time it took.
inline void expect_same(const std::vector<EpochRecord>& a, const std::vector<EpochRecord>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].stage, b[i].stage);
    EXPECT_EQ(a[i].epoch, b[i].epoch);
    EXPECT_EQ(a[i].epochs, b[i].epochs);
    EXPECT_EQ(a[i].learning_rate, b[i].learning_rate) << "epoch " << i + 1;
    EXPECT_EQ(a[i].loss, b[i].loss);
    EXPECT_EQ(a[i].top1, b[i].top1);
    expect_same(a[i].held_out, b[i].held_out);
    expect_same(a[i].held_out_after, b[i].held_out_after);
    EXPECT_EQ(a[i].facts, b[i].facts);
  }
}

inline void expect_same(const std::vector<StageRecord>& a, const std::vector<StageRecord>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].stage, b[i].stage);
    EXPECT_EQ(a[i].epochs, b[i].epochs);
    expect_same(a[i].held_out, b[i].held_out);
    EXPECT_EQ(a[i].facts, b[i].facts);
  }
}

}  // namespace coppice::fake
