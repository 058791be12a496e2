// Means and covariances of what layers read, wherever they come from: of the model alone, which
// says something of itself (modelled), or measured over images. Whoever uses them needn't know.
//
// The header needs Eigen, so only evidence and prune include it.
#pragma once

#include <Eigen/Core>
#include <functional>

#include "core/tensor.h"
#include "evidence/evidence.h"
#include "graph/infer.h"

namespace coppice {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

struct Moments {
  Vector mean;        // [C]
  Matrix covariance;  // [C, C]
};

// Channels wider than this get no moments: memory is quadratic in it, time cubic.
inline constexpr int64_t kWidest = 2048;

// What is known of a node's first input.
struct InputMoments {
  int64_t axis = 1;  // of the channels, from the front
  int64_t channels = 0;
  Shape folded = {};  // sizes that a Flatten put into the axis, behind each channel
  // Null where the channels are known but not their means and scales. Quadratic in channels.
  std::function<Moments()> moments = {};
};

// Called for every node in the graph's order with what is known of its first input (null: nothing).
using VisitMoments = std::function<void(const Node& node, const InputMoments* input)>;

// What the model says of itself (modelled/follow_channels.h), without data.
void visit_modelled(const Graph& graph, const Inferred& inferred, const VisitMoments& visit);

// What must be measured for the moments of what a Conv, Gemm or MatMul reads; nothing for other
// nodes and for what is too wide. Behind a Flatten that makes too much of it, the value before.
// `producer_of`: producers(graph).
std::vector<EvidenceRequest> moment_requests(const Graph& graph, const Inferred& inferred,
                                             const Node& node,
                                             std::span<const int32_t> producer_of);
// Of nodes whose requests `evidence` answers.
void visit_measured(const Graph& graph, const Inferred& inferred, const Evidence& evidence,
                    const VisitMoments& visit);

}  // namespace coppice
