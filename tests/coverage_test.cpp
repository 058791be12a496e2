// Every network of tests/exports and every model of the shared data: found groups, the share of
// MACs that can be pruned, how near a budget comes, random cuts proved equal to masks by our
// runtime and judged by ONNX Runtime, twice in a row; and cut for each runtime that people deploy
// in, run there. './dev test' does it for a few small models, './dev test --all' for all;
// COPPICE_WRITE_DOCS=1 then writes their rows in docs/coverage.md.
//
// The exports are made once, into COPPICE_EXPORTS or build/exports, by Debian's PyTorch; where that
// isn't installed the test skips itself. COPPICE_COVERAGE_ONLY=REGEX picks models by name. What a
// peer makes of the same networks is read from torch_pruning.tsv beside the exports, if it is there
// (tests/exports/peer_torch_pruning.py writes it).

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/process/child_process.h"
#include "core/random.h"
#include "coverage/docs.h"
#include "deployed/deployments.h"
#include "deployed/nets.h"
#include "deployed/outputs.h"
#include "graph/passes/loosen.h"
#include "groups/cut/surgery.h"
#include "groups/traced.h"
#include "methods/one_shot/one_shot.h"
#include "onnx/onnx.h"
#include "prune/budget/allocate.h"
#include "prune/budget/prunable_share.h"
#include "prune/plan/plan.h"
#include "support/onnxruntime.h"
#include "support/shared_data.h"
#include "support/temp_dir.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = COPPICE_SOURCE_DIR;

// What issue and paper promise of a family: the share of MACs in what can be pruned.
struct Promise {
  const char* pattern;
  double share;
};
constexpr Promise kPromises[] = {{"resnet|resnext|vgg|densenet|mobilenet", 0.90},
                                 {"shufflenet|yolo", 0.85},
                                 {"convnext|vit_|swin", 0.60}};

struct Judge {
  std::optional<OnnxRuntime> runtime = OnnxRuntime::start();
  Deployments deployments;
  TempDir folder;
};

fs::path exports_folder() {
  const char* given = std::getenv("COPPICE_EXPORTS");
  return given ? fs::path(given) : kSource / "build/exports";
}

bool is_asked_for(const std::string& name) {
  const char* only = std::getenv("COPPICE_COVERAGE_ONLY");
  return !only || std::regex_search(name, std::regex(only));
}

// Exports of what is asked for what isn't there yet. False where there is nothing of that, or
// PyTorch isn't installed.
bool make_exports(const fs::path& folder) {
  const std::string python = "/usr/bin/python3";
  if (std::system((python + " -c 'import torchvision, onnx' 2> /dev/null").c_str()) != 0)
    return false;
  const std::string script = (kSource / "tests/exports/export_torchvision.py").string();
  auto list = ChildProcess::start({python, script, "--list"});
  std::string names;
  while (const auto name = list->receive_line()) names += is_asked_for(*name) ? " " + *name : "";
  return !names.empty() &&
         std::system(
             (python + " '" + script + "' '" + folder.string() + "'" + names + " >&2").c_str()) ==
             0;
}

// The zoo's nets, and those of the tests.
void write_built(const fs::path& folder) {
  const auto write = [&](const std::string& name, const Graph& graph) {
    write_onnx(graph, folder / (name + ".onnx"));
  };
  for (const ZooModel& model : zoo_models())
    write(std::string("zoo:") + model.name, model.build(1));
  write("shufflenet_shaped", shufflenet_shaped());
  write("unet_shaped", unet_shaped());
  write("yolo_shaped", yolo_shaped());
  write("vit_shaped", vit_shaped());
}

std::vector<fs::path> models_in(const fs::path& folder) {
  std::vector<fs::path> models;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".onnx") continue;
    if (!is_asked_for(entry.path().stem().string())) continue;
    models.push_back(entry.path());
  }
  std::ranges::sort(models);
  return models;
}

double difference(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return INFINITY;
  if (a.dtype() != DType::f32) return a == b ? 0 : INFINITY;
  double largest = 0, off = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double x = a.as<float>()[i], y = b.as<float>()[i];
    if (!std::isfinite(x) || !std::isfinite(y)) return INFINITY;
    largest = std::max(largest, std::fabs(x));
    off = std::max(off, std::fabs(x - y));
  }
  // ONNX Runtime's Sigmoid is right to 1e-7: of a probability below a thousandth that is too little
  // to compare by.
  constexpr double kNothing = 2e-3;
  return off / std::max(largest, kNothing);
}

std::vector<NamedTensor> random_inputs(const Graph& graph, int64_t batch, Random& random) {
  std::vector<NamedTensor> inputs;
  const InputSizes sizes = fitting_sizes(graph, {.inputs = {}, .batch = batch});
  for (const ValueId id : graph.inputs) {
    const Shape shape = input_shape(graph, id, sizes);
    Tensor tensor = Tensor::zeros(graph.value(id).dtype, shape);
    if (tensor.dtype() == DType::f32) random.fill_normal(tensor.mutate<float>(), 1);
    inputs.push_back({graph.value(id).name, std::move(tensor)});
  }
  return inputs;
}

// Masked original against cut model in ONNX Runtime, at two batches where the batch is open.
double judge_cut(Judge& judge, const Graph& masked, const Graph& cut, Random& random) {
  write_onnx(masked, judge.folder / "masked.onnx");
  write_onnx(cut, judge.folder / "cut.onnx");
  const auto& declared = masked.value(masked.inputs[0]).declared;
  const bool open = !declared->empty() && !declared->front().fixed();
  double worst = 0;
  for (const int64_t batch : open ? std::vector<int64_t>{1, 3} : std::vector<int64_t>{1}) {
    const auto inputs = random_inputs(masked, batch, random);
    const auto expected = judge.runtime->run(judge.folder / "masked.onnx", inputs);
    const auto found = judge.runtime->run(judge.folder / "cut.onnx", inputs);
    for (size_t i = 0; i < expected.size(); ++i) {
      worst = std::max(worst, difference(expected[i].tensor, found[i].tensor));
    }
  }
  return worst;
}

// A random cut of this share of every group, as `prune --method random` makes it.
Outcome random_cut(const Graph& graph, double ratio, Verify verify) {
  OneShotOptions options;
  options.budget = {Budget::Of::ratio, 1 - ratio};
  options.round_to = 1;
  options.seed = 7;
  options.verify = verify;
  return prune_once(graph, find_criterion("random"), options);
}

// By our runtime; where that can't run the model, the cut is left to the judge.
Outcome proved_cut(const Graph& graph, double ratio, Row& row) {
  try {
    Outcome outcome = random_cut(graph, ratio, Verify::on);
    row.error = std::max(row.error, outcome.proof->comparison.error);
    row.allowed = std::max(row.allowed, outcome.proof->comparison.allowed());
    return outcome;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    row.remark = "not run by coppice: " + std::string(error.what());
  }
  return random_cut(graph, ratio, Verify::off);
}

void judge_plan(Judge& judge, const Graph& graph, const Outcome& outcome, Row& row) {
  if (!judge.runtime) return;
  Graph masked = graph;
  loosen(masked);
  const Groups groups = find_groups(masked);
  mask_units(masked, groups, removal_of(masked, groups, outcome.plan));
  Random random(3);
  try {
    row.judged = std::max(row.judged, judge_cut(judge, masked, outcome.graph, random));
  } catch (const std::runtime_error& error) {
    row.remark = "not run by ONNX Runtime: " + std::string(error.what()).substr(0, 60);
  }
}

void describe(const Graph& graph, Row& row) {
  std::set<std::string> operators;
  for (const Node& node : graph.nodes) operators.insert(node.op_type);
  row.nodes = static_cast<int64_t>(graph.nodes.size());
  row.operators = std::to_string(operators.size());
  Graph loosened = graph;
  loosen(loosened);
  const auto start = std::chrono::steady_clock::now();
  const Groups groups = find_groups(loosened);
  row.trace_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  row.groups = static_cast<int64_t>(groups.free.size());
  row.units = groups.unit_count;
  row.share = prunable_macs_share(CostModel(loosened, groups, groups.inferred));
}

// The share of the MACs that one unit takes with it, at most.
double largest_unit(const Graph& original) {
  Graph graph = original;
  loosen(graph);
  const Traced traced(std::move(graph));
  const Groups& groups = traced.groups();
  Removal removal(groups.unit_count, 0);
  const auto macs = [&] { return static_cast<double>(traced.costs().after(removal).macs); };
  const double whole = macs();
  double largest = 0;
  for (const Group& group : groups.free) {
    removal[group.first_unit] = 1;
    largest = std::max(largest, 1 - macs() / whole);
    removal[group.first_unit] = 0;
  }
  return largest;
}

void halve(const Graph& graph, Row& row) {
  OneShotOptions options;
  options.budget = {Budget::Of::macs, 0.5};
  options.round_to = 1;
  options.verify = Verify::off;
  const Outcome outcome = prune_once(graph, find_criterion("l2"), options);
  row.halved = static_cast<double>(outcome.after.macs) / static_cast<double>(outcome.before.macs);
  row.unit = largest_unit(graph);
}

Row cover(const fs::path& model, Judge& judge) {
  Row row;
  row.name = model.stem().string();
  const Graph graph = read_onnx(model);
  try {
    describe(graph, row);
  } catch (const Error& error) {
    row.remark = error.what();
    return row;
  }
  if (row.units == 0) {
    row.remark = "nothing is free";
    return row;
  }
  try {
    halve(graph, row);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::target) throw;
    row.remark = "no way to half";
  }
  for (const double ratio : {0.1, 0.5, 0.9}) {
    SCOPED_TRACE(ratio);
    try {
      const Outcome outcome = proved_cut(graph, ratio, row);
      if (ratio == 0.5) {
        row.left =
            static_cast<double>(outcome.after.macs) / static_cast<double>(outcome.before.macs);
      }
      judge_plan(judge, graph, outcome, row);
      if (ratio == 0.5) judge_plan(judge, outcome.graph, proved_cut(outcome.graph, 0.3, row), row);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::target || ratio > 0.1) throw;  // small groups lose nothing
    }
  }
  row.deployed = judge.deployments.of(graph, kAcrossRuntimes);
  return row;
}

void check(const Row& row) {
  for (size_t i = 0; i < row.deployed.size(); ++i) {
    const Deployment& deployment = row.deployed[i];
    EXPECT_TRUE(deployment.holds(kAcrossRuntimes))
        << row.name << " in " << Deployments::columns()[i].title << ": "
        << deployment.cell(kAcrossRuntimes) << " " << deployment.cut.refusal;
  }
  EXPECT_LE(row.error, row.allowed) << row.name << ", our runtime";
  EXPECT_LE(row.judged, row.allowed) << row.name << ", ONNX Runtime";
  if (row.halved < 1) {
    EXPECT_LE(row.halved, 0.5) << row.name;
    EXPECT_GE(row.halved, 0.5 - row.unit) << row.name;
  }
  for (const Promise& promise : kPromises) {
    if (std::regex_search(row.name, std::regex(promise.pattern))) {
      EXPECT_GE(row.share, promise.share) << row.name;
    }
  }
}

Row covered(const fs::path& model, Judge& judge) {
  SCOPED_TRACE(model.string());
  Row row;
  EXPECT_NO_THROW(row = cover(model, judge));
  check(row);
  return row;
}

// What other exporters wrote, and small: the part of this test that always runs.
TEST(Coverage, of_a_few_ready_made_models) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  Judge judge;
  for (const char* name : {"fastestdet", "gtcrn", "mnist_cntk", "ppocr_mobile_v2_det_prune",
                           "ultraface_rfb320", "yolox_nano", "silero_vad_op18_ifless"}) {
    const Row row = covered(*data / "models/wild" / (std::string(name) + ".onnx"), judge);
    EXPECT_FALSE(row.name.empty());
  }
}

TEST(Coverage, of_every_network) {
  if (!std::getenv("COPPICE_TEST_ALL")) GTEST_SKIP() << "slow; './dev test --all' runs it";
  std::vector<fs::path> models;
  if (make_exports(exports_folder())) models = models_in(exports_folder());
  if (const auto data = shared_data()) {
    const auto more = models_in(*data / "models");
    models.insert(models.end(), more.begin(), more.end());
  }
  const TempDir built;
  write_built(built.path());
  const auto more = models_in(built.path());
  models.insert(models.end(), more.begin(), more.end());
  Judge judge;
  const Peer peer = read_peer(exports_folder() / "torch_pruning.tsv");
  for (const fs::path& model : models) {
    const Row row = covered(model, judge);
    std::fprintf(stderr, "%6.1f ms", row.trace_ms);
    for (const std::string& cell : cells(row, peer)) std::fprintf(stderr, " | %s", cell.c_str());
    std::fprintf(stderr, "\n");
    if (std::getenv("COPPICE_WRITE_DOCS")) write_row(kSource / "docs/coverage.md", row, peer);
  }
}

}  // namespace
}  // namespace coppice
