// What an operator may say about its channels. (The algebra behind it lives in `groups`.)
//
// Every index of every axis carries a Label: kAlways (always there), one removable thing, or a
// conjunction of them. An operator sees the labels of its inputs' axes and states, in a few calls,
// how they are tied and what its outputs' axes carry:
//
//   unify   these two axes lose the same indices
//   pin     these indices may not leave, for this reason
//   factor  this axis is a matrix (a x b, row-major): the labels of its rows and of its columns
//   join    the reverse: the row-major product of axes
//   fresh   new removable things
//
// "Zero when dead" is a promise about masking: with every label of an index masked, is its value
// exactly zero? Contractions of two activations over an axis are equal to masking only if it is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"

namespace coppice {

using Label = int32_t;
inline constexpr Label kAlways = 0;
using Axis = std::vector<Label>;

// What a constant's axis is to the operator that reads it; criteria choose their tensors by it.
enum class Role {
  other,
  filter,         // axis of output filters of Conv, ConvTranspose, Gemm, MatMul
  input_channel,  // axis that is contracted with the input
  bias,
  norm_scale,
  norm_shift,
  norm_mean,
  norm_variance,
  divisor,  // masked by one, not by zero
};

enum class PinKind {
  meaning,     // the index means something by itself: outputs, softmax axes, windows
  statistics,  // a mean or norm over the axis would change; a user may lift it knowingly
  unknown,     // an operator without a rule, or with a shape we can't know
};

class Relations {
 public:
  virtual ~Relations() = default;

  virtual const Graph& graph() const = 0;
  virtual const Node& node() const = 0;
  bool has_input(int input) const;
  virtual const Shape& input_shape(int input) const = 0;
  virtual const Shape& output_shape(int output) const = 0;
  virtual DType dtype(int input) const = 0;
  virtual const Tensor* known(int input) const = 0;  // null where the value isn't known
  // Whether anything comes of the output: a node of some use reads it, or it is the model's own.
  virtual bool is_read(int output) const = 0;

  virtual const Axis& input(int input, int64_t axis) const = 0;
  virtual bool zero_when_dead(int input, int64_t axis) const = 0;
  virtual void output(int output, int64_t axis, Axis labels, bool zero_when_dead) = 0;

  virtual Axis fresh(int64_t count) = 0;
  virtual void unify(const Axis& a, const Axis& b, const std::string& why) = 0;
  virtual void pin(const Axis& axis, PinKind kind, const std::string& why) = 0;
  virtual std::vector<Axis> factor(const Axis& axis, std::span<const int64_t> sizes,
                                   const std::string& why) = 0;
  virtual Axis join(const std::vector<Axis>& axes) = 0;
  virtual void role(int input, int64_t axis, Role role) = 0;
  // Whether nothing on the axis can leave, as far as is known by now.
  virtual bool frozen(const Axis& axis) = 0;

  static Axis always(int64_t count) { return Axis(static_cast<size_t>(count), kAlways); }
  int64_t rank(int input) const { return static_cast<int64_t>(input_shape(input).size()); }
  int inputs() const { return static_cast<int>(node().inputs.size()); }
};

// The relations that many operators share.
void relate_unary(Relations& relations, bool zero_at_zero);  // f elementwise, f(0) = 0?
void relate_broadcast(Relations& relations, bool product);   // numpy broadcasting, n inputs
void pin_input(Relations& relations, int input, PinKind kind, const std::string& why);
// Ties two axes that are multiplied and summed over. Pins them where neither side is exactly zero
// in a masked index: its product would stay in the sum.
void relate_contraction(Relations& relations, int left, int64_t left_axis, int right,
                        int64_t right_axis, const std::string& why);
// A statistic over `axes` of input 0 with or without the reduced axes kept as size 1.
void relate_pooled(Relations& relations, const std::vector<int64_t>& axes, bool keep_axes,
                   bool zero_when_dead, PinKind kind, const std::string& why);

}  // namespace coppice
