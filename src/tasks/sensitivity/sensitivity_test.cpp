// What losing units costs, measured: cuts judged from the middle of a net are judged as whole ones,
// a run that was stopped comes to the same, files of anything else are refused, and a pruning
// keeps what its table says is dear.
#include "tasks/sensitivity/sensitivity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/files.h"
#include "data/batch.h"
#include "data/formats/npy.h"
#include "groups/cut/surgery.h"
#include "methods/options/blocks.h"
#include "onnx/onnx.h"
#include "runtime/reference.h"
#include "session/options/data_options.h"
#include "support/fake_session.h"
#include "support/fake_trainer.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"
#include "support/watcher.h"
#include "tasks/prune.h"
#include "tasks/sensitivity/cut_judge.h"

namespace coppice {
namespace {

constexpr int64_t kImages = 60, kClasses = 3;

// A residual stream, a branch, and outputs of both kinds.
constexpr char kStream[] = R"(
    input x float32 [N, 1, 4, 4]
    const w0 float32 [6, 1, 3, 3] random
    const w1 float32 [8, 6, 3, 3] random
    const w2 float32 [6, 8, 1, 1] random
    const scale float32 [8] positive
    const shift float32 [8] random
    const mean float32 [8] random
    const variance float32 [8] positive
    const fw float32 [3, 6] random
    const fb float32 [3] random
    const f2 float32 [4, 6] random
    a = Conv(x, w0) {pads=[1, 1, 1, 1]}
    ar = Relu(a)
    b = Conv(ar, w1) {pads=[1, 1, 1, 1]}
    bn = BatchNormalization(b, scale, shift, mean, variance)
    br = Relu(bn)
    c = Conv(br, w2)
    s = Add(ar, c)
    g = GlobalAveragePool(s)
    f = Flatten(g)
    y = Gemm(f, fw, fb) {transB=1}
    z = Gemm(f, f2) {transB=1}
    output y
    output z)";

// Gets all three brightnesses right by the first of its channels; the others hardly count. And of
// the second group every channel counts alike.
constexpr char kKnowing[] = R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [4, 1, 1, 1] = 1 0.004 0.003 0.002
    const w2 float32 [4, 4, 1, 1] = 1 0 0 0 1 0 0 0 1 0 0 0 1 0 0 0
    const w3 float32 [3, 4] = 0.25 0.25 0.25 0.25 0.5 0.5 0.5 0.5 0.75 0.75 0.75 0.75
    const b float32 [3] = 0 -50 -200
    a = Conv(x, w1)
    c = Conv(a, w2)
    g = GlobalAveragePool(c)
    f = Flatten(g)
    y = Gemm(f, w3, b) {transB=1}
    output y)";

class Sensitivity : public testing::Test {
 protected:
  Sensitivity() {
    Tensor pixels = Tensor::zeros(DType::u8, {kImages, 1, 4, 4});
    Tensor labels = Tensor::zeros(DType::i64, {kImages});
    for (int64_t i = 0; i < kImages; ++i) {
      labels.mutate<int64_t>()[i] = i % kClasses;
      for (int64_t p = 0; p < 16; ++p) {
        pixels.mutate<uint8_t>()[i * 16 + p] =
            static_cast<uint8_t>(100 * (i % kClasses) + (i * p) % 3);
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
  std::string model(const std::string& text, const std::string& name = "model.onnx") const {
    AtomicFile file(path(name));
    write_onnx(parse_text_graph(text), file, {});
    file.commit();
    return path(name);
  }
  SensitivityRequest request(const std::string& model, const Request& more = {}) const {
    SensitivityRequest request;
    request.model = model;
    request.output = path("table.json");
    request.common = common_;
    request.settings.set(kData, data_);
    request.settings.set(kPreprocess, "scale=1");
    for (const OptionUse& use : request.settings.options()) {
      for (const auto& [name, value] : more) {
        if (use.option->name() == name) request.settings.set(*use.option, value);
      }
    }
    return request;
  }
  PruneRequest pruning(const std::string& model, const Request& more = {}) const {
    PruneRequest request{.model = model,
                         .output = path("small.onnx"),
                         .settings = Settings(options_of(find_method("l2"))),
                         .latency = false,
                         .common = common_};
    Request all = {
        {"allocate", "sensitivity"}, {"sensitivity", path("table.json")}, {"round-to", "1"}};
    all.insert(all.end(), more.begin(), more.end());
    for (const OptionUse& use : request.settings.options()) {
      for (const auto& [name, value] : all) {
        if (use.option->name() == name) request.settings.set(*use.option, value);
      }
    }
    return request;
  }
  std::string refusal(ErrorKind kind, const std::function<void()>& body) const {
    return fake::message_of(kind, body);
  }

  TempDir dir_;
  std::string data_;
  CommonRequest common_;
  HeardWatcher watcher_;
};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<int64_t> first(int64_t count) {
  std::vector<int64_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

const Preprocessing kScaled = parse_preprocessing("scale=1/255");

// The whole masked graph on all images at once, by the reference.
std::vector<Tensor> masked_outputs(const Traced& traced, const Dataset& dataset,
                                   const std::vector<int64_t>& indices, const Removal& removal) {
  Graph masked = traced.graph();
  mask_units(masked, traced.groups(), removal);
  Tensor images = Tensor::zeros(DType::f32, {std::ssize(indices), 1, 4, 4});
  std::vector<int64_t> labels(indices.size());
  load_batch(dataset, kScaled, indices, images, labels);
  return run_reference(masked, std::span(&images, 1));
}

double cross_entropy(const Tensor& scores, const Dataset& dataset,
                     const std::vector<int64_t>& indices) {
  double loss = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    double sum = 0;
    for (int64_t c = 0; c < kClasses; ++c) sum += std::exp(scores.as<float>()[i * kClasses + c]);
    const int64_t label = dataset.label(indices[i]);
    loss += std::log(sum) - scores.as<float>()[static_cast<int64_t>(i) * kClasses + label];
  }
  return loss / static_cast<double>(indices.size());
}

TEST_F(Sensitivity, a_cut_judged_from_the_middle_of_the_net_is_judged_as_the_masked_whole) {
  const auto dataset = fake::images();
  const Traced traced(parse_text_graph(kStream));
  const std::vector<int64_t> indices = first(40);
  CutJudge by_labels(traced, *dataset, indices, kScaled, SensitivityTable::By::accuracy, watcher_);
  CutJudge by_outputs(traced, *dataset, indices, kScaled, SensitivityTable::By::output_error,
                      watcher_);
  const auto original =
      masked_outputs(traced, *dataset, indices, Removal(traced.groups().unit_count, 0));
  EXPECT_NEAR(by_labels.original().loss, cross_entropy(original[0], *dataset, indices), 1e-3);
  ASSERT_EQ(traced.groups().free.size(), 2u);
  for (size_t g = 0; g < 2; ++g) {
    by_labels.look_at(g);
    by_outputs.look_at(g);
    const Group& group = traced.groups().free[g];
    for (int64_t u = 0; u + 1 < group.units(); ++u) {
      Removal removal(traced.groups().unit_count, 0);
      removal[group.first_unit + u] = removal[group.first_unit + u + 1] = 1;
      const auto masked = masked_outputs(traced, *dataset, indices, removal);
      EXPECT_NEAR(by_labels.judge(removal)->loss, cross_entropy(masked[0], *dataset, indices),
                  1e-3);
      double off = 0, all = 0;
      for (size_t o = 0; o < masked.size(); ++o) {
        for (int64_t i = 0; i < masked[o].size(); ++i) {
          off += std::pow(masked[o].as<float>()[i] - original[o].as<float>()[i], 2);
          all += std::pow(original[o].as<float>()[i], 2);
        }
      }
      EXPECT_NEAR(by_outputs.judge(removal)->value, std::sqrt(off / all), 1e-4);
    }
  }
}

TEST_F(Sensitivity, curves_fall_where_units_count_and_stop_near_chance) {
  const SensitivityReport report =
      sensitivity(request(model(kKnowing), {{"ratios", "0.25,0.5,0.75"}}), watcher_);
  const SensitivityTable& table = report.table;
  EXPECT_EQ(table.value, 1);
  EXPECT_EQ(table.images, kImages / 10);
  ASSERT_EQ(table.groups.size(), 2u);
  ASSERT_EQ(table.groups[0].points.size(), 3u);
  for (const CurvePoint& point : table.groups[0].points) EXPECT_EQ(point.value, 1);
  EXPECT_LT(table.groups[1].points.back().value, 1);
  EXPECT_GT(table.groups[1].points.front().loss, table.loss);
  EXPECT_TRUE(table.done());
  EXPECT_EQ(read_sensitivity(path("table.json")), table);
}

TEST_F(Sensitivity, a_group_is_over_once_the_drop_is_reached) {
  const auto all = sensitivity(request(model(kStream), {{"judge-by", "outputs"}}), watcher_);
  std::filesystem::remove(path("table.json"));
  const auto few = sensitivity(
      request(model(kStream), {{"judge-by", "outputs"}, {"stop-drop", "0.000001"}}), watcher_);
  for (size_t g = 0; g < few.table.groups.size(); ++g) {
    const auto &points = few.table.groups[g].points, &more = all.table.groups[g].points;
    ASSERT_LT(points.size(), more.size());
    for (size_t i = 0; i < points.size(); ++i) {
      EXPECT_EQ(points[i], more[i]);
      EXPECT_EQ(points[i].value >= 1e-6, i + 1 == points.size());
    }
  }
}

// Stops after so many cuts.
struct Stopping : HeardWatcher {
  int64_t left;
  explicit Stopping(int64_t cuts) : left(cuts) {}
  void metric(const Json&) override { stops = --left <= 0; }
  void progress(const Progress& progress) override {
    if (progress.unit == "cuts" && progress.done >= left) stops = true;
  }
};

TEST_F(Sensitivity, a_run_that_was_stopped_anywhere_comes_to_the_same) {
  for (const char* oracle : {"false", "true"}) {
    SCOPED_TRACE(oracle);
    const auto wanted = request(model(kStream), {{"oracle", oracle}});
    std::filesystem::remove(path("table.json"));
    const std::string whole = to_json(sensitivity(wanted, watcher_)).dump();
    for (int64_t cuts = 1; cuts < 8; cuts += 2) {
      std::filesystem::remove(path("table.json"));
      Stopping stopping(cuts);
      const auto message = refusal(ErrorKind::interrupted, [&] { sensitivity(wanted, stopping); });
      EXPECT_TRUE(holds(message, "the same command goes on")) << message;
      const SensitivityTable kept = read_sensitivity(path("table.json"));
      EXPECT_FALSE(kept.done());
      EXPECT_EQ(to_json(sensitivity(wanted, watcher_)).dump(), whole);
    }
  }
}

TEST_F(Sensitivity, a_file_of_anything_else_is_refused_and_left_alone) {
  const auto wanted = request(model(kStream), {{"ratios", "0.5"}});
  sensitivity(wanted, watcher_);
  const std::string before = read_text(path("table.json"));
  const auto refused = [&](ErrorKind kind, const SensitivityRequest& other,
                           const std::string& part) {
    const auto message = refusal(kind, [&] { sensitivity(other, watcher_); });
    EXPECT_TRUE(holds(message, part)) << message;
    EXPECT_EQ(read_text(path("table.json")), before);
  };
  refused(ErrorKind::usage, request(wanted.model, {{"ratios", "0.25,0.5"}}),
          "--ratios is '0.25,0.5', '" + path("table.json") + "' was measured with '0.5'");
  refused(ErrorKind::usage, request(wanted.model, {{"ratios", "0.5"}, {"method", "l1"}}),
          "--method is 'l1'");
  refused(ErrorKind::usage, request(wanted.model, {{"oracle", "true"}}), "holds curves");
  SensitivityRequest other = request(model(kKnowing, "other.onnx"), {{"ratios", "0.5"}});
  refused(ErrorKind::input, other, "another model ('model.onnx')");
  other.output = path("x.npy");
  refused(ErrorKind::usage, other, "also an input");
  write_text(path("other.json"), "{}");
  other.output = path("other.json");
  refused(ErrorKind::input, other, "not a table of sensitivity");
  EXPECT_EQ(read_text(path("other.json")), "{}");
}

TEST_F(Sensitivity, what_is_no_classifier_of_the_data_is_judged_by_its_outputs) {
  const std::string net =
      std::string(kStream).replace(std::string(kStream).find("output y"), 8, "");
  const SensitivityReport report = sensitivity(request(model(net)), watcher_);
  EXPECT_EQ(report.table.by, SensitivityTable::By::output_error);
  EXPECT_TRUE(std::ranges::any_of(watcher_.remarks, [](const std::string& remark) {
    return holds(remark, "judged by the outputs");
  }));
  for (const GroupSensitivity& group : report.table.groups) {
    const bool read = group.name != "fw";  // that nobody reads any more
    EXPECT_EQ(group.points.back().value > 0, read);
    EXPECT_NEAR(group.points[0].loss, std::pow(group.points[0].value, 2), 1e-12);
  }
  EXPECT_TRUE(holds(refusal(ErrorKind::input,
                            [&] {
                              sensitivity(request(model(net), {{"judge-by", "labels"}}), watcher_);
                            }),
                    "4 outputs"));
}

TEST_F(Sensitivity, settings_that_mean_nothing_together_are_refused) {
  for (const auto& [option, value] :
       Request{{"method", "l1"}, {"ratios", "0.5"}, {"stop-drop", "0.1"}}) {
    const auto message = refusal(ErrorKind::usage, [&] {
      check(request("none.onnx", {{"oracle", "true"}, {option, value}}));
    });
    EXPECT_TRUE(holds(message, "--" + option + " is for curves")) << message;
  }
  EXPECT_TRUE(
      holds(refusal(ErrorKind::usage,
                    [&] {
                      check(request("none.onnx", {{"method", "l2"}, {"norm-share", "0.5"}}));
                    }),
            "--norm-share is for --method fpgm"));
  EXPECT_TRUE(
      holds(refusal(ErrorKind::usage, [&] { check(SensitivityRequest{.model = "none.onnx"}); }),
            "--data"));
}

TEST_F(Sensitivity, the_oracle_s_losses_are_those_without_each_unit) {
  SensitivityRequest wanted = request(model(kKnowing), {{"oracle", "true"}, {"images", "60"}});
  const SensitivityReport report = sensitivity(wanted, watcher_);
  ASSERT_EQ(report.table.groups.size(), 2u);
  const std::vector<double>& losses = report.table.groups[0].losses;
  ASSERT_EQ(losses.size(), 4u);
  EXPECT_GT(losses[0], report.table.loss + 1) << "the one channel that counts";
  for (const int i : {1, 2, 3}) EXPECT_NEAR(losses[i], report.table.loss, 1e-6);
  ASSERT_EQ(report.correlations.size(), criteria().size());
  for (const CriterionCorrelation& found : report.correlations) {
    if (found.criterion != "bn-scale") continue;
    EXPECT_TRUE(holds(found.why_not, "finds nothing to look at")) << found.why_not;
    EXPECT_FALSE(found.by_group || found.all || found.all_normalised);
  }
  EXPECT_EQ(to_json(report)["correlations"][0]["criterion"], criteria()[0].name);
}

TEST_F(Sensitivity, a_pruning_by_its_table_takes_what_costs_least) {
  const std::string net = model(kKnowing);
  sensitivity(request(net), watcher_);
  const PruneReport report = prune(pruning(net, {{"keep-params", "0.8"}}), watcher_);
  EXPECT_EQ(report.summary.groups[1].after, 4) << "all of its channels count";
  EXPECT_LT(report.summary.groups[0].after, 4);
  EXPECT_LE(report.summary.after.costs.parameters,
            0.8 * static_cast<double>(report.summary.before.costs.parameters));
  EXPECT_TRUE(report.summary.verified);
}

TEST_F(Sensitivity, a_pruning_by_the_table_of_another_model_writes_nothing) {
  sensitivity(request(model(kStream)), watcher_);
  const std::string other = model(kKnowing, "other.onnx");
  const auto message = refusal(ErrorKind::input, [&] { prune(pruning(other), watcher_); });
  EXPECT_TRUE(holds(message, "another model ('model.onnx')")) << message;
  EXPECT_FALSE(std::filesystem::exists(path("small.onnx")));
  EXPECT_FALSE(std::filesystem::exists(path("small.plan.json")));
}

TEST_F(Sensitivity, a_pruning_by_a_table_without_a_group_writes_nothing) {
  const std::string net = model(kStream);
  sensitivity(request(net), watcher_);
  SensitivityTable table = read_sensitivity(path("table.json"));
  table.groups.pop_back();
  write_text(path("table.json"), to_json(table));
  const auto message = refusal(ErrorKind::input, [&] { prune(pruning(net), watcher_); });
  EXPECT_TRUE(holds(message, "has nothing of group")) << message;
  EXPECT_FALSE(std::filesystem::exists(path("small.onnx")));
}

}  // namespace
}  // namespace coppice
