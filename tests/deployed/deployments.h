// What runtimes make of a model cut for each of them, and where that isn't right, of the uncut one:
// the columns of docs/coverage.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "support/onnxruntime.h"
#include "support/outside/opencv.h"

namespace coppice {

struct Deployment {
  // How far its outputs are from ours, of the largest; or what the runtime says in refusing it.
  // Neither where there is no such runtime, or nothing to compare with.
  struct Run {
    std::optional<double> difference = {};
    std::string refusal = {};

    bool right(double tolerance) const { return difference && *difference <= tolerance; }
    bool tried() const { return difference || !refusal.empty(); }
  };
  Run cut, uncut;  // the latter is tried only where the former isn't right

  // What runs right uncut does so cut.
  bool holds(double tolerance) const;
  // "3e-07", "refused", "refused, uncut too", "wrong", "wrong, uncut too" or "-".
  std::string cell(double tolerance) const;
};

class Deployments {
 public:
  struct Column {
    const char* title;    // "ORT Web 1.30"
    const char* runtime;  // as --for takes it
  };
  static const std::vector<Column>& columns();

  Deployments();
  // By column, of half of the model's MACs.
  std::vector<Deployment> of(const Graph& graph, double tolerance);

 private:
  Deployment::Run run(const std::string& runtime, const Graph& graph);
  std::vector<NamedTensor> outputs(const std::string& runtime, const std::filesystem::path& model,
                                   const std::vector<NamedTensor>& inputs);
  bool has(const std::string& runtime) const;

  std::optional<OnnxRuntime> node_, web_;
  std::optional<OpenCv> opencv_;
};

}  // namespace coppice
