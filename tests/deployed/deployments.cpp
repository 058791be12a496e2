#include "deployed/deployments.h"

#include <cstdio>

#include "core/attempt.h"
#include "core/error.h"
#include "deployed/cut_for.h"
#include "deployed/outputs.h"
#include "onnx/onnx.h"
#include "runtime/executable.h"
#include "runtime/latency.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

// ONNX Runtime's Sigmoid is right to 1e-7: of a probability below a thousandth that is too little
// to compare by.
constexpr double kNothing = 2e-3;

constexpr char kNative[] = "onnxruntime-avx512", kWeb[] = "onnxruntime-web", kOpenCv[] = "opencv";

struct Here {
  std::vector<NamedTensor> inputs, outputs;
};

// By our runtime; nothing where that can't run the graph.
std::optional<Here> run_here(const Graph& graph) {
  return attempt(ErrorKind::input, [&] {
    Executable executable = compile(graph, fitting_sizes(graph, {}));
    Here here;
    const std::vector<Tensor> inputs = random_inputs(executable, 1);
    const std::vector<Tensor> outputs = executable.run(inputs);
    for (size_t i = 0; i < inputs.size(); ++i)
      here.inputs.push_back({executable.input_names()[i], inputs[i]});
    for (size_t i = 0; i < outputs.size(); ++i)
      here.outputs.push_back({executable.output_names()[i], outputs[i]});
    return here;
  });
}

}  // namespace

bool Deployment::holds(double tolerance) const {
  return !cut.tried() || cut.right(tolerance) || !uncut.right(tolerance);
}

std::string Deployment::cell(double tolerance) const {
  if (!cut.tried()) return "-";
  if (cut.right(tolerance)) {
    char text[16];
    std::snprintf(text, sizeof(text), "%.0e", *cut.difference);
    return text;
  }
  const std::string what = cut.refusal.empty() ? "wrong" : "refused";
  if (uncut.right(tolerance)) return what;
  return what + (uncut.refusal.empty() == cut.refusal.empty() ? ", uncut too"
                 : uncut.refusal.empty()                      ? ", uncut wrong"
                                                              : ", uncut refused");
}

const std::vector<Deployments::Column>& Deployments::columns() {
  static const std::vector<Column> all = {{"node", kNative}, {"web", kWeb}, {"OpenCV", kOpenCv}};
  return all;
}

Deployments::Deployments()
    : node_(OnnxRuntime::start()),
      web_(OnnxRuntime::start("onnxruntime-web")),
      opencv_(OpenCv::start()) {}

std::vector<Deployment> Deployments::of(const Graph& graph, double tolerance) {
  std::vector<Deployment> all;
  for (const Column& column : columns()) {
    Deployment& made = all.emplace_back();
    if (!has(column.runtime)) continue;
    // Where there is no way to half, and where nothing is free, there is nothing to deploy.
    const auto cut = attempt(ErrorKind::target, [&] {
      return cut_for(graph, OneShotOptions::Selection::none, column.runtime);
    });
    if (!cut) continue;
    made.cut = run(column.runtime, *cut);
    if (made.cut.tried() && !made.cut.right(tolerance)) made.uncut = run(column.runtime, graph);
  }
  return all;
}

Deployment::Run Deployments::run(const std::string& runtime, const Graph& graph) {
  const auto here = run_here(graph);
  if (!here) return {};
  const TempDir dir;
  write_onnx(graph, dir / "model.onnx");
  try {
    const auto theirs = outputs(runtime, dir / "model.onnx", here->inputs);
    return {.difference = difference(here->outputs, theirs, kNothing)};
  } catch (const std::runtime_error& error) {
    return {.difference = {}, .refusal = error.what()};
  }
}

std::vector<NamedTensor> Deployments::outputs(const std::string& runtime,
                                              const std::filesystem::path& model,
                                              const std::vector<NamedTensor>& inputs) {
  if (runtime == kOpenCv) return opencv_->run(model, inputs);
  return (runtime == kWeb ? web_ : node_)->run(model, inputs);
}

bool Deployments::has(const std::string& runtime) const {
  if (runtime == kOpenCv) return opencv_.has_value();
  return (runtime == kWeb ? web_ : node_).has_value();
}

}  // namespace coppice
