// Builds a graph layer by layer, so that a network of the zoo reads like its paper's table.
//
// Every call appends one node, called `name`, and returns its output, a value of the same name. A
// layer's parameters are called as PyTorch calls them: `name`.weight, .bias, .running_mean,
// .running_var. Input sizes are not passed in: each layer asks shape inference what it is given, so
// a layer that doesn't fit throws there and then. Parameter number i is drawn from
// Random::stream(seed, {i}), whatever the ones before it took.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/initialise.h"

namespace coppice {

enum class Bias { none, zero };

struct ConvOptions {
  int64_t kernel = 1, stride = 1, padding = 0, groups = 1;
  Bias bias = Bias::none;
};

class Builder {
 public:
  Builder(std::string name, uint64_t seed, Initialisation initialisation);

  ValueId input(const Shape& shape);  // without the batch: "input" is [N, shape...]
  ValueId conv(const std::string& name, ValueId x, int64_t filters, const ConvOptions& options);
  ValueId batch_norm(const std::string& name, ValueId x);
  ValueId linear(const std::string& name, ValueId x, int64_t features);  // with bias
  ValueId relu(const std::string& name, ValueId x);
  ValueId relu6(const std::string& name, ValueId x);
  ValueId max_pool(const std::string& name, ValueId x, int64_t kernel);  // stride = kernel
  ValueId average_pool(const std::string& name, ValueId x, int64_t kernel);
  ValueId global_average_pool(const std::string& name, ValueId x);
  ValueId flatten(const std::string& name, ValueId x);  // [N, ...] -> [N, C]
  ValueId add(const std::string& name, ValueId a, ValueId b);

  // What has no method of its own.
  ValueId node(const std::string& op_type, const std::string& name, std::vector<ValueId> inputs,
               Attributes attributes = {});
  ValueId constant(const std::string& name, Tensor value);

  Shape shape(ValueId x) const;  // at batch 1
  int64_t channels(ValueId x) const { return shape(x)[1]; }
  // The graph with `x`, renamed to "output", as its only output, and with the initialisation in its
  // metadata. Ends the building.
  Graph finish(ValueId x);

 private:
  ValueId weight(const std::string& name, const Shape& shape, Initialise initialise);
  ValueId filled(const std::string& name, int64_t count, float value);

  Graph graph_;
  uint64_t seed_;
  Initialisation initialisation_;
  uint64_t parameters_ = 0;
  ValueId six_[2] = {kNoValue, kNoValue};  // the bounds of every relu6
};

}  // namespace coppice
