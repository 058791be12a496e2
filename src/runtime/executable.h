// A graph compiled for this processor: what `coppice run`, `eval` and `bench` execute.
//
// Compilation binds the graph's open sizes, folds constants and normalisations, joins activations
// and residual sums to what they follow, packs weights into the layouts that oneDNN's kernels want,
// and plans all memory; `run` only computes. Everything stays float32, and no algorithm is used
// that gives up accuracy for speed.
//
// An Executable is used by one thread at a time; several may run beside each other, and one and its
// twins share their weights.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/infer.h"
#include "runtime/observation.h"

namespace coppice {

struct Target {
  enum class Kernels { fast, reference };
  enum class Profile { off, on };
  // poisoned: memory is filled with NaN when its first step begins, in every run, so that a step
  // that reads what nothing wrote shows. For tests.
  enum class Arena { as_it_is, poisoned };
  Kernels kernels = Kernels::fast;
  int threads = 0;  // 0: thread_count() of core/threads.h
  Profile profile = Profile::off;
  Arena arena = Arena::as_it_is;
  // Layers with many zeros among their weights. dense: as all others, so that numbers are those of
  // the net with any other weights. timed: by loops that leave zeros out, where measuring says that
  // they are faster; which layers that are is up to the machine, so last digits may differ from one
  // compilation to the next; dense where the environment has COPPICE_SPARSE=off. forced: all that
  // could; for tests.
  enum class Sparsity { dense, timed, forced };
  Sparsity sparsity = Sparsity::dense;
  std::string choices_folder = {};  // where timed choices are kept; empty: nowhere
};

struct LayerTime {
  std::string name;  // of the layer's first node
  // "Conv+BatchNormalization+Relu", "Reorder" between layouts, "Copy" of an output, "Observed";
  // where there is no fast kernel "Erf (reference)"
  std::string kind;
  double ms;
  // Of constant weights: "dense", "sparse 4x1 (AVX-512)"; else empty.
  std::string kernel = {};
  int64_t weights = 0, nonzeros = 0;
  double macs = 0;  // those by zeros left out
};

class Executable {
 public:
  ~Executable();
  Executable(Executable&&) noexcept;
  Executable& operator=(Executable&&) noexcept;

  const std::vector<std::string>& input_names() const;
  const std::vector<std::string>& output_names() const;
  const Shape& input_shape(size_t input) const;
  const Shape& output_shape(size_t output) const;
  DType input_dtype(size_t input) const;
  DType output_dtype(size_t output) const;

  // Tensors of the outputs' types and shapes, for `run` to write to.
  std::vector<Tensor> allocate_outputs() const;
  // Throws Error::input where an input's type or shape isn't the compiled one. Requires: `outputs`
  // are as allocate_outputs() made them. Allocates nothing, unless an output's bytes are shared
  // with another Tensor, or an operator has but a reference kernel.
  void run(std::span<const Tensor> inputs, std::span<Tensor> outputs);
  // The same from and to bytes that are the caller's: as many of each as types and shapes say, none
  // overlapping an output. Requires: Kernels::fast.
  void run_at(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs);
  // Another that runs the same, beside this one: with the same weights, but memory of its own for
  // intermediate results. May be called by several threads at once, but not while this one runs.
  Executable twin() const;
  // For callers who don't mind an allocation.
  std::vector<Tensor> run(std::span<const Tensor> inputs);

  // Of the last run, in running order; empty unless compiled with Profile::on.
  const std::vector<LayerTime>& layer_times() const;
  size_t arena_bytes() const;   // for all intermediate results
  size_t weight_bytes() const;  // packed, as kernels read them
  int threads() const;

 private:
  struct Impl;
  explicit Executable(std::unique_ptr<Impl> impl);
  friend Executable compile_inferred(Graph graph, const Inferred& inferred, const Target& target,
                                     const Observation& observation);
  std::unique_ptr<Impl> impl_;
};

// Takes the graph and frees its weights one by one as they are packed, so callers who need little
// memory move their graph in. Throws Error::input, naming the node, for what can't be run, and
// naming the value, for one that can't be observed.
Executable compile(Graph graph, const InputSizes& sizes = {}, const Target& target = {},
                   const Observation& observation = {});
// The same where the graph's shapes are known already: `inferred` is of this very graph.
Executable compile_inferred(Graph graph, const Inferred& inferred, const Target& target = {},
                            const Observation& observation = {});

}  // namespace coppice
