#include "verify/compare.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/attempt.h"
#include "core/error.h"
#include "core/random.h"
#include "groups/cut/surgery.h"
#include "runtime/random_inputs.h"
#include "verify/in_parts.h"
#include "verify/runnable_part.h"

namespace coppice {
namespace {

// The largest, and the largest relative to the largest value of `a`; infinite where one of them
// isn't finite.
struct Difference {
  double absolute = 0, relative = 0;
  void take_in(const Difference& other) {
    absolute = std::max(absolute, other.absolute);
    relative = std::max(relative, other.relative);
  }
};

Difference difference_of(const Tensor& a, const Tensor& b) {
  constexpr Difference kWrong = {INFINITY, INFINITY};
  if (a.dtype() != DType::f32) return a == b ? Difference() : kWrong;
  double largest = 0, difference = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double x = a.as<float>()[i], y = b.as<float>()[i];
    if (!std::isfinite(x) || !std::isfinite(y)) return kWrong;
    largest = std::max(largest, std::fabs(x));
    difference = std::max(difference, std::fabs(x - y));
  }
  return {difference, difference == 0 ? 0 : difference / std::max(largest, 1e-30)};
}

Difference largest_difference(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  Difference largest;
  for (size_t i = 0; i < a.size(); ++i) largest.take_in(difference_of(a[i], b[i]));
  return largest;
}

// What a graph is fed with and gives, at its shapes.
struct Interface {
  std::vector<std::string> inputs, outputs;  // names
  std::vector<TensorType> input_types, output_types;

  Interface(const Graph& graph, const Inferred& inferred) {
    const auto add = [&](const std::vector<ValueId>& ids, std::vector<std::string>& names,
                         std::vector<TensorType>& types, const std::string& what) {
      for (const ValueId id : ids) {
        names.push_back(graph.value(id).name);
        if (!inferred.has(id)) {
          fail_input(what + " '" + names.back() +
                     "': its shape isn't known, so nothing can be compared there");
        }
        types.push_back(*inferred.types[id]);
      }
    };
    add(graph.inputs, inputs, input_types, "input");
    add(graph.outputs, outputs, output_types, "output");
  }
};

void require_same_types(const std::string& what, const std::vector<std::string>& names,
                        const std::vector<TensorType>& a, const std::vector<TensorType>& b) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (a[i].shape == b[i].shape && a[i].dtype == b[i].dtype) continue;
    fail_input(what + " '" + names[i] + "' has shape " + to_string(a[i].shape) +
               " in one model and " + to_string(b[i].shape) + " in the other");
  }
}

void require_same_interface(const Interface& a, const Interface& b) {
  if (a.inputs != b.inputs || a.outputs != b.outputs) {
    fail_input(
        "the models have inputs or outputs of different names or number, so they can't be "
        "compared");
  }
  require_same_types("input", a.inputs, a.input_types, b.input_types);
  require_same_types("output", a.outputs, a.output_types, b.output_types);
}

// With integers of zeros and ones: indices and counts that fit nearly everywhere.
std::vector<Tensor> with_counts(std::vector<Tensor> inputs, uint64_t seed) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    Random random = Random::stream(seed, {i});
    const auto fill = [&](auto elements) {
      for (auto& element : elements) element = random.below(2) != 0;
    };
    if (inputs[i].dtype() == DType::i64) fill(inputs[i].mutate<int64_t>());
    if (inputs[i].dtype() == DType::i32) fill(inputs[i].mutate<int32_t>());
    if (inputs[i].dtype() == DType::boolean) fill(inputs[i].mutate<bool>());
  }
  return inputs;
}

// The inputs, every float changed by up to a millionth of itself.
std::vector<Tensor> nudged(std::vector<Tensor> inputs, uint64_t seed) {
  constexpr double kNudge = 1e-6;
  Random random(seed);
  for (Tensor& input : inputs) {
    if (input.dtype() != DType::f32) continue;
    for (float& x : input.mutate<float>()) {
      x = static_cast<float>(x * (1 + kNudge * random.uniform(-1, 1)));
    }
  }
  return inputs;
}

// What two graphs are compared at, and their shapes there.
struct Shapes {
  InputSizes sizes;
  Inferred first, second;
};

// Part after part: never are all weights of a graph packed at once.
Comparison compare_once(const Graph& a, const Graph& b, const Shapes& shapes, uint64_t seed) {
  Comparison result;
  result.sizes = shapes.sizes;
  const Interface first(a, shapes.first);
  require_same_interface(first, Interface(b, shapes.second));
  const auto inputs_of = [&](uint64_t of) { return random_inputs(first.input_types, of); };
  std::vector<std::vector<Tensor>> inputs = {with_counts(inputs_of(seed), seed),
                                             with_counts(inputs_of(seed + 1), seed + 1)};
  const auto run = [&] { return run_in_parts(a, shapes.first, inputs); };
  auto expected = attempt(ErrorKind::input, run);
  if (!expected) {  // one is out of some range
    inputs = {inputs_of(seed), inputs_of(seed + 1)};
    expected = run();
  }
  const std::vector<std::vector<Tensor>> found = run_in_parts(b, shapes.second, inputs);
  Difference difference = largest_difference(expected->at(0), found.at(0));
  difference.take_in(largest_difference(expected->at(1), found.at(1)));
  result.error = difference.relative;
  result.difference = difference.absolute;
  result.reaction = largest_difference(expected->at(0), expected->at(1)).relative;
  if (!result.equal()) {
    const auto moved = run_in_parts(a, shapes.first, {nudged(inputs[0], seed)});
    result.noise = largest_difference(expected->at(0), moved.at(0)).relative;
  }
  return result;
}

constexpr int64_t kTracedBatch = 2;  // of GroupOptions
// Another batch, so that a size that holds only at the traced one shows.
constexpr int64_t kBatch = 3;

// Whether the outputs depend on nothing that was made smaller. An image's size doesn't grow where
// it gets smaller, so an axis that is larger by the batches' ratio is the batch's.
bool same_outputs(const Graph& graph, const Inferred& traced, const Inferred& reduced) {
  const auto same = [](int64_t size, int64_t now) {
    return size == now || size * kBatch == now * kTracedBatch;
  };
  return std::ranges::all_of(graph.outputs, [&](ValueId id) {
    return traced.has(id) && reduced.has(id) &&
           std::ranges::equal(traced.shape(id), reduced.shape(id), same);
  });
}

// The same image sizes, smaller, if the graph can be inferred at them: fully convolutional nets
// can, though their exporter wrote down the size it traced. Only rank-4 inputs shrink. `traced`:
// the original at the batch of its groups.
Shapes small_shapes(const Graph& original, const Inferred& traced, const Graph& cut) {
  constexpr int64_t kSide = 64;
  const InputSizes declared = fitting_sizes(original, {.inputs = {}, .batch = kBatch});
  InputSizes small = declared;
  bool smaller = false;
  for (const ValueId id : original.inputs) {
    Shape shape = input_shape(original, id, declared);
    if (shape.size() == 4 && shape[2] > kSide && shape[3] > kSide) {
      shape[2] = shape[3] = kSide;
      smaller = true;
    }
    small.inputs[original.value(id).name] = std::move(shape);
  }
  const auto at_small = [&](const Graph& graph) {
    return attempt(ErrorKind::input, [&] { return infer(graph, small); });
  };
  // A Gemm behind a Flatten, say, fits the declared size only.
  if (auto reduced = at_small(original);
      reduced && (!smaller || same_outputs(original, traced, *reduced))) {
    if (auto reduced_cut = at_small(cut)) {
      return {std::move(small), std::move(*reduced), std::move(*reduced_cut)};
    }
  }
  return {declared, infer(original, declared), infer(cut, declared)};
}

// Values that sizes, bounds or scales are made of, and the steps of codes.
std::vector<char> settings_of(const Graph& graph) {
  std::vector<char> settings(graph.values.size(), 0);
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool all = std::ranges::any_of(
        node->outputs, [&](ValueId id) { return id != kNoValue && settings[id] != 0; });
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      if (node->inputs[i] != kNoValue &&
          (all || is_setting(*node, i) || reads_as(*node, i) == Reads::step))
        settings[node->inputs[i]] = 1;
    }
  }
  return settings;
}

// Weights of variance gain / fan-in, the same for the same seed: a net that reacts.
void randomise_weights(Graph& graph, uint64_t seed, double gain) {
  const std::vector<char> settings = settings_of(graph);
  for (size_t i = 0; i < graph.values.size(); ++i) {
    auto& constant = graph.values[i].constant;
    if (settings[i]) continue;
    if (!constant || constant->dtype() != DType::f32 || constant->rank() == 0) continue;
    Random random = Random::stream(seed, {i});
    if (constant->rank() == 1) {
      random.fill_uniform(constant->mutate<float>(), 0.5, 1.5);  // a variance must stay positive
    } else {
      const auto fan_in =
          static_cast<double>(constant->size() / std::max<int64_t>(1, constant->shape()[0]));
      random.fill_normal(constant->mutate<float>(), static_cast<float>(std::sqrt(gain / fan_in)));
    }
  }
}

// Of what both graphs can run.
Comparison compare_parts(Graph first, Graph second, const RunnablePart& part, const Shapes& shapes,
                         uint64_t seed) {
  leave_out_rounding(first);
  leave_out_rounding(second);
  if (part.whole()) return compare_once(first, second, shapes, seed);
  first = take_part(std::move(first), part, shapes.first);
  second = take_part(std::move(second), part, shapes.second);
  Shapes own{shapes.sizes, infer(first, shapes.sizes), infer(second, shapes.sizes)};
  return compare_once(first, second, own, seed);
}

// What inference computed of weights (cast, dequantised ones): masks change it.
void forget_weights(Inferred& inferred) {
  for (std::optional<Tensor>& known : inferred.known) {
    if (known && is_floating(known->dtype()) && known->size() > 1) known.reset();
  }
}

Comparison compare_masked(Graph original, const Groups& groups, const Removal& removal, Graph cut,
                          const RunnablePart& part, Shapes shapes, uint64_t seed) {
  mask_units(original, groups, removal);
  forget_weights(shapes.first);
  return compare_parts(std::move(original), std::move(cut), part, shapes, seed);
}

}  // namespace

Comparison compare(const Graph& a, const Graph& b, const InputSizes& sizes, uint64_t seed) {
  return compare_once(a, b, {sizes, infer(a, sizes), infer(b, sizes)}, seed);
}

Proof prove_removal(const Graph& original, const Groups& groups, const Removal& removal,
                    const Graph& cut, uint64_t seed, const Graph* zeroed) {
  Shapes shapes = small_shapes(original, groups.inferred, cut);
  Proof proof;
  const RunnablePart part = runnable_part(original, shapes.first);
  proof.around = part.around;
  if (zeroed) {
    Shapes other = shapes;
    // What made up for the cut may have given layers of the original biases.
    if (zeroed->values.size() != original.values.size()) other.first = infer(*zeroed, other.sizes);
    proof.zeroed = compare_parts(*zeroed, cut, part, other, seed);
  }
  proof.comparison = compare_masked(original, groups, removal, cut, part, shapes, seed);
  if (!proof.comparison.equal() || !proof.comparison.blind()) return proof;
  // Random weights may react too much, and magnify rounding; smaller ones magnify less.
  for (const double gain : {2.0, 1.0, 0.5}) {
    Graph lively = original;
    randomise_weights(lively, seed, gain);
    Graph lively_cut = lively;
    remove_units(lively_cut, groups, removal);
    shapes.second = infer(lively_cut, shapes.sizes);
    const Comparison again = compare_masked(std::move(lively), groups, removal,
                                            std::move(lively_cut), part, shapes, seed);
    const bool says_more =
        again.equal() ? again.reaction > proof.comparison.reaction : again.noise <= kMostNoise;
    if (says_more) return {again, true, std::move(proof.zeroed), std::move(proof.around)};
  }
  return proof;
}

Proof require_cut(const Graph& original, const Groups& groups, const Removal& removal,
                  const Graph& cut, uint64_t seed, const Graph* zeroed) {
  Proof proof = within("the cut can't be proved",
                       [&] { return prove_removal(original, groups, removal, cut, seed, zeroed); },
                       {option_hint("verify", "off", "does without")});
  const Comparison& comparison = proof.comparison;
  if (comparison.equal()) return proof;
  throw Error(ErrorKind::internal, "the cut model differs from the masked original by " +
                                       std::to_string(comparison.error) +
                                       " of its largest output, expected at most " +
                                       std::to_string(comparison.allowed()) +
                                       "; nothing was written; please report this model");
}

Proof require_same(const Graph& original, const Graph& rewritten, const InputSizes& sizes,
                   const std::string& what, uint64_t seed) {
  const Shapes shapes{sizes, infer(original, sizes), infer(rewritten, sizes)};
  const RunnablePart part = runnable_part(rewritten, shapes.second);
  Proof proof;
  proof.around = part.around;
  proof.comparison = compare_parts(original, rewritten, part, shapes, seed);
  if (proof.comparison.equal()) return proof;
  throw Error(ErrorKind::internal, what + " changed the outputs by " +
                                       std::to_string(proof.comparison.error) +
                                       " of the largest, expected at most " +
                                       std::to_string(proof.comparison.allowed()) +
                                       "; nothing was written; please report this model");
}

}  // namespace coppice
