// reconstruction: what the layers behind lose for good, once their other weights make up for it.
//
// A layer gives W a of the channels a that it reads. Without channel c the best other weights are
// those of least squares, and what is lost then is
//
//   |w_c|^2 / (S^-1)_cc,    S the covariance of a,
//
// after which S and W are those of the channels that are left. The unit that costs least goes
// first; a unit's score is what has been lost in all once it is gone, as a share of the variance of
// what is given (the mean over the layers that read it, if several do). So of two channels that say
// the same one costs nothing, and the other all that both say.
//
// Source: Hassibi, Stork, Wolff, "Optimal Brain Surgeon and General Network Pruning", ICNN 1993,
// eq. 5, for the squared error of one layer's outputs as in Dong, Chen, Pan, "Learning to Prune
// Deep Neural Networks via Layer-wise Optimal Brain Surgeon", NIPS 2017, arXiv:1705.07565.
// Differs: whole channels in place of weights; of a kernel's taps each makes up for its own.

#include <Eigen/Cholesky>
#include <algorithm>
#include <limits>

#include "evidence/moments.h"
#include "graph/is_onnx.h"
#include "prune/scores/criteria.h"

namespace coppice {
namespace {

constexpr double kRidge = 1e-4;   // of a channel's variance
constexpr double kOfRank = 1e-6;  // keeps the order where losses are too small to tell apart

EvidenceRequest request_of(const Activation& activation) {
  return {activation.value, Reduction::covariance, activation.axis};
}

// [weights of a channel, channels]
Matrix by_channel(const Tensor& weight, int64_t axis) {
  const Shape& shape = weight.shape();
  int64_t inner = 1;
  for (int64_t a = axis + 1; a < weight.rank(); ++a) inner *= shape[a];
  const int64_t channels = shape[axis], outer = weight.size() / channels / inner;
  Matrix matrix(outer * inner, channels);
  const auto element = weight.as<float>();
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t i = 0; i < inner; ++i) {
        matrix(o * inner + i, c) = element[(o * channels + c) * inner + i];
      }
    }
  }
  return matrix;
}

// What is made of the channels: sums of products of weights, over the layers that read the value.
Matrix metric_of(const GroupView& view, const Activation& activation, int64_t channels) {
  Matrix metric = Matrix::Zero(channels, channels);
  for (const Node& node : view.graph.nodes) {
    if (node.inputs.size() < 2 || node.inputs[0] == kNoValue) continue;
    if (view.graph.value(node.inputs[0]).name != activation.value) continue;
    for (const Slice& slice : view.group.slices) {
      if (slice.tensor != node.inputs[1] || slice.role != Role::input_channel) continue;
      const Tensor& weight = *view.graph.value(slice.tensor).constant;
      if (weight.dtype() != DType::f32 || weight.shape()[slice.axis] != channels) continue;
      const Matrix rows = by_channel(weight, slice.axis);
      metric.noalias() += rows.transpose() * rows;
    }
  }
  return metric;
}

// The layers that read one value, as channels leave.
class Readers {
 public:
  Readers(const Activation& activation, const Matrix& covariance, Matrix metric)
      : activation_(activation), metric_(std::move(metric)) {
    all_ = metric_.cwiseProduct(covariance).sum();
    Matrix damped = covariance;
    const double least = kRidge * covariance.diagonal().mean();
    damped.diagonal().array() += kRidge * covariance.diagonal().array() + kRidge * least;
    const Eigen::LLT<Matrix> solver(damped);
    known_ = all_ > 0 && solver.info() == Eigen::Success;
    if (known_) inverse_ = solver.solve(Matrix::Identity(damped.rows(), damped.cols()));
  }

  bool known() const { return known_; }

  // Share of what they give that is lost with the unit.
  double loss(int64_t unit) const {
    const auto& gone = activation_.indices[unit];
    if (gone.size() == 1) return metric_(gone[0], gone[0]) / inverse_(gone[0], gone[0]) / all_;
    const Eigen::LLT<Matrix> own(inverse_(gone, gone));
    return own.solve(Matrix(metric_(gone, gone))).trace() / all_;
  }

  void remove(int64_t unit) {
    const auto& gone = activation_.indices[unit];
    const Eigen::LLT<Matrix> own(inverse_(gone, gone));
    const Matrix across = inverse_(Eigen::all, gone);
    const Matrix taken = -own.solve(across.transpose()).transpose();  // by those that are left
    inverse_.noalias() += taken * across.transpose();
    // (I + taken) metric (I + taken)T, in two products.
    const Matrix half = metric_(Eigen::all, gone) + 0.5 * taken * metric_(gone, gone);
    metric_.noalias() += taken * half.transpose();
    metric_.noalias() += half * taken.transpose();
    for (const int64_t channel : gone) {
      inverse_.row(channel).setZero();
      inverse_.col(channel).setZero();
      metric_.row(channel).setZero();
      metric_.col(channel).setZero();
      inverse_(channel, channel) = 1;
    }
  }

 private:
  const Activation& activation_;
  Matrix metric_, inverse_;
  double all_ = 0;
  bool known_ = false;
};

std::vector<float> rank(std::vector<Readers>& readers, int64_t units) {
  std::vector<float> scores(units);
  std::vector<char> gone(units, 0);
  double lost = 0;
  for (int64_t rank = 0; rank < units; ++rank) {
    int64_t next = -1;
    double least = std::numeric_limits<double>::infinity();
    for (int64_t u = 0; u < units; ++u) {
      if (gone[u]) continue;
      double loss = 0;
      for (const Readers& reader : readers) loss += reader.loss(u);
      if (next >= 0 && !(loss < least)) continue;
      next = u;
      least = loss;
    }
    lost += std::max(0.0, least) / static_cast<double>(readers.size());
    scores[next] = static_cast<float>(lost + kOfRank * static_cast<double>(rank));
    gone[next] = 1;
    for (Readers& reader : readers) reader.remove(next);
  }
  return scores;
}

std::vector<EvidenceRequest> needs(const GroupView& view) {
  std::vector<EvidenceRequest> requests;
  for (const Activation& activation : view.activations) requests.push_back(request_of(activation));
  return requests;
}

std::vector<float> score(const GroupView& view) {
  std::vector<Readers> readers;
  for (const Activation& activation : view.activations) {
    const Tensor& measured = view.evidence->at(request_of(activation));
    const int64_t channels = measured.shape()[0];
    const Eigen::Map<const Matrix> covariance(measured.as<double>().data(), channels, channels);
    Readers found(activation, covariance, metric_of(view, activation, channels));
    if (found.known()) readers.push_back(std::move(found));
  }
  if (readers.empty()) return {};
  return rank(readers, view.group.units());
}

}  // namespace

extern const Criterion kReconstruction{
    .name = "reconstruction",
    .paper = "Dong et al., Layer-wise Optimal Brain Surgeon, NIPS 2017, arXiv:1705.07565",
    .about = "loss in what the layers behind give, once these are refitted",
    .differs = "whole channels, one after the other, in place of weights; the refit is --recover's",
    .score = score,
    .needs = needs};

}  // namespace coppice
