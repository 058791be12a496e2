// One executor for both kinds of kernels: `run` checks, then hands over to the plan's steps or to
// run_reference.

#include "runtime/executable.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "core/error.h"
#include "core/files.h"
#include "core/threads.h"
#include "runtime/compile/compile.h"
#include "runtime/latency.h"
#include "runtime/omp_threads.h"
#include "runtime/reference.h"

namespace coppice {
namespace {

using Clock = std::chrono::steady_clock;

bool runs_dense(Target::Sparsity sparsity) {
  if (sparsity != Target::Sparsity::timed) return sparsity == Target::Sparsity::dense;
  const char* const told = std::getenv("COPPICE_SPARSE");
  return told && std::string_view(told) == "off";
}

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

struct Executable::Impl {
  Target target;
  std::vector<std::string> input_names, output_names;
  std::vector<TensorType> inputs, outputs;
  std::vector<LayerTime> times;
  Graph graph;  // Kernels::reference, like:
  Observation observation;
  runtime::Plan plan;  // Kernels::fast
  std::shared_ptr<std::byte> arena;
  std::vector<std::byte*> pointers;
  std::vector<std::vector<runtime::BufferId>> first_touched;  // by step; Arena::poisoned

  void check(std::span<const Tensor> given, std::span<Tensor> results) const;
  template <typename Input, typename Output>
  void bind(const Input& input, const Output& output);
  void find_first_touched();
  void poison(size_t step);
  void run_plan();  // between what is bound
  void run_graph(std::span<const Tensor> given, std::span<Tensor> results);
  void finish(Graph simplified, const Inferred& inferred, const Observation& observed,
              runtime::SparseChoices choices);
};

void Executable::Impl::check(std::span<const Tensor> given, std::span<Tensor> results) const {
  if (given.size() != inputs.size()) {
    fail_input("the model has " + std::to_string(inputs.size()) + " inputs, given are " +
               std::to_string(given.size()));
  }
  for (size_t i = 0; i < given.size(); ++i) {
    if (given[i].dtype() == inputs[i].dtype && given[i].shape() == inputs[i].shape) continue;
    fail_input("input '" + input_names[i] + "' is given as " + name_of(given[i].dtype()) + " " +
               to_string(given[i].shape()) + ", but the model was compiled for " +
               name_of(inputs[i].dtype) + " " + to_string(inputs[i].shape));
  }
  COPPICE_CHECK(results.size() == outputs.size(), "run with another number of outputs");
  for (size_t o = 0; o < results.size(); ++o) {
    COPPICE_CHECK(results[o].dtype() == outputs[o].dtype && results[o].shape() == outputs[o].shape,
                  "run with an output that allocate_outputs() didn't make");
  }
}

// `input`, `output`: from an index to the bytes.
template <typename Input, typename Output>
void Executable::Impl::bind(const Input& input, const Output& output) {
  for (size_t id = 0; id < plan.buffers.size(); ++id) {
    const runtime::Buffer& buffer = plan.buffers[id];
    switch (buffer.home) {
      case runtime::Home::arena: pointers[id] = arena.get() + buffer.offset; break;
      case runtime::Home::constant: pointers[id] = buffer.constant.get(); break;
      case runtime::Home::input:
        // Steps never write to an input's buffer: Lowering::may_overwrite refuses it.
        pointers[id] = const_cast<std::byte*>(input(buffer.index));
        break;
      case runtime::Home::output: pointers[id] = output(buffer.index); break;
    }
  }
}

void Executable::Impl::find_first_touched() {
  std::vector<bool> seen(plan.buffers.size(), false);
  for (const runtime::Step& step : plan.steps) {
    first_touched.emplace_back();
    for (const runtime::BufferId id : step.buffers) {
      const runtime::Home home = plan.buffers[id].home;
      const bool ours = home == runtime::Home::arena || home == runtime::Home::output;
      if (ours && !seen[id]) first_touched.back().push_back(id);
      seen[id] = true;
    }
  }
}

void Executable::Impl::poison(size_t step) {
  for (const runtime::BufferId id : first_touched[step]) {
    std::fill_n(reinterpret_cast<float*>(pointers[id]), plan.buffers[id].bytes / sizeof(float),
                std::numeric_limits<float>::quiet_NaN());
  }
}

void Executable::Impl::run_plan() {
  const runtime::OmpThreads threads(target.threads);
  if (target.profile == Target::Profile::off && target.arena == Target::Arena::as_it_is) {
    for (const runtime::Step& step : plan.steps) step.run(pointers);
    return;
  }
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    if (target.arena == Target::Arena::poisoned) poison(s);
    const auto start = Clock::now();
    plan.steps[s].run(pointers);
    if (target.profile == Target::Profile::on) times[s].ms = ms_since(start);
  }
}

void Executable::Impl::run_graph(std::span<const Tensor> given, std::span<Tensor> results) {
  const auto start = Clock::now();
  const std::vector<Tensor> computed = run_reference(graph, given, observation.values);
  for (size_t o = 0; o < results.size(); ++o) results[o] = computed[o];
  for (size_t i = 0; i < observation.values.size(); ++i) {
    const Tensor& value = computed[results.size() + i];
    observation.see(i, {value.as<float>().data(), value.shape()});
  }
  if (target.profile == Target::Profile::on) times = {{graph.name, "Reference", ms_since(start)}};
}

void Executable::Impl::finish(Graph simplified, const Inferred& inferred,
                              const Observation& observed, runtime::SparseChoices choices) {
  plan = runtime::lower(simplified, inferred, observed, std::move(choices));
  // On huge pages: a tile of an image touches hundreds of channels, each on another page.
  arena = allocate_buffer(plan.arena_bytes).data;
  pointers.resize(plan.buffers.size());
  if (target.arena == Target::Arena::poisoned) find_first_touched();
  if (target.profile == Target::Profile::off) return;
  for (const runtime::Step& step : plan.steps) {
    times.push_back({step.name, step.kind, 0, step.work.kernel, step.work.weights,
                     step.work.nonzeros, step.work.macs});
  }
}

Executable::Executable(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Executable::~Executable() = default;
Executable::Executable(Executable&&) noexcept = default;
Executable& Executable::operator=(Executable&&) noexcept = default;

const std::vector<std::string>& Executable::input_names() const { return impl_->input_names; }
const std::vector<std::string>& Executable::output_names() const { return impl_->output_names; }
const Shape& Executable::input_shape(size_t input) const { return impl_->inputs.at(input).shape; }
const Shape& Executable::output_shape(size_t output) const {
  return impl_->outputs.at(output).shape;
}
DType Executable::input_dtype(size_t input) const { return impl_->inputs.at(input).dtype; }
DType Executable::output_dtype(size_t output) const { return impl_->outputs.at(output).dtype; }
const std::vector<LayerTime>& Executable::layer_times() const { return impl_->times; }
size_t Executable::arena_bytes() const { return impl_->plan.arena_bytes; }
size_t Executable::weight_bytes() const {
  size_t bytes = 0;
  for (const runtime::Buffer& buffer : impl_->plan.buffers) {
    if (buffer.home == runtime::Home::constant) bytes += buffer.bytes;
  }
  for (const runtime::Step& step : impl_->plan.steps) bytes += step.work.own_bytes;
  return bytes;
}
int Executable::threads() const { return impl_->target.threads; }

std::vector<Tensor> Executable::allocate_outputs() const {
  std::vector<Tensor> tensors;
  for (const TensorType& type : impl_->outputs) {
    tensors.push_back(Tensor::zeros(type.dtype, type.shape));
  }
  return tensors;
}

void Executable::run(std::span<const Tensor> inputs, std::span<Tensor> outputs) {
  impl_->check(inputs, outputs);
  if (impl_->target.kernels == Target::Kernels::reference) {
    impl_->run_graph(inputs, outputs);
  } else {
    impl_->bind([&](int32_t i) { return inputs[i].bytes().data(); },
                [&](int32_t o) { return outputs[o].mutate_bytes().data(); });
    impl_->run_plan();
  }
}

void Executable::run_at(std::span<const std::byte* const> inputs,
                        std::span<std::byte* const> outputs) {
  COPPICE_CHECK(impl_->target.kernels == Target::Kernels::fast, "run_at of reference kernels");
  COPPICE_CHECK(inputs.size() == impl_->inputs.size() && outputs.size() == impl_->outputs.size(),
                "run_at with another number of tensors");
  impl_->bind([&](int32_t i) { return inputs[i]; }, [&](int32_t o) { return outputs[o]; });
  impl_->run_plan();
}

Executable Executable::twin() const {
  auto impl = std::make_unique<Impl>(*impl_);
  impl->arena = allocate_buffer(impl->plan.arena_bytes).data;
  return Executable(std::move(impl));
}

std::vector<Tensor> Executable::run(std::span<const Tensor> inputs) {
  std::vector<Tensor> outputs = allocate_outputs();
  run(inputs, outputs);
  return outputs;
}

Executable compile(Graph graph, const InputSizes& sizes, const Target& target,
                   const Observation& observation) {
  const Inferred inferred = infer(graph, sizes);
  return compile_inferred(std::move(graph), inferred, target, observation);
}

Executable compile_inferred(Graph graph, const Inferred& inferred, const Target& target,
                            const Observation& observation) {
  auto impl = std::make_unique<Executable::Impl>();
  impl->target = target;
  if (impl->target.threads <= 0) impl->target.threads = thread_count();
  const runtime::OmpThreads threads(impl->target.threads);
  graph.foreign = {};
  runtime::leave_out_unread(graph, observation.values);
  runtime::require_types(graph, inferred);
  runtime::require_observable(graph, inferred, observation.values);
  if (target.sparsity != Target::Sparsity::dense) runtime::require_numbers(graph);
  for (const ValueId id : graph.inputs) {
    impl->input_names.push_back(graph.value(id).name);
    impl->inputs.push_back(*inferred.types[id]);
  }
  for (const ValueId id : graph.outputs) {
    impl->output_names.push_back(graph.value(id).name);
    impl->outputs.push_back(*inferred.types[id]);
  }
  if (target.kernels == Target::Kernels::reference) {
    impl->graph = std::move(graph);
    impl->observation = observation;
    return Executable(std::move(impl));
  }
  runtime::simplify(graph, inferred, observation.values);
  if (runs_dense(target.sparsity) || !observation.values.empty()) {
    impl->finish(std::move(graph), inferred, observation, {});
    return Executable(std::move(impl));
  }
  const std::vector<runtime::Layer> layers = runtime::layers_of(graph, inferred, {});
  const auto candidates = runtime::candidates_of(graph, inferred, layers);
  if (target.sparsity == Target::Sparsity::forced || candidates.empty()) {
    impl->finish(std::move(graph), inferred, {}, runtime::all_sparse(candidates));
    return Executable(std::move(impl));
  }
  const std::string key = runtime::choices_key(candidates, impl->target.threads);
  auto choices = runtime::read_choices(target.choices_folder, key, candidates);
  if (choices) {
    impl->finish(std::move(graph), inferred, {}, std::move(*choices));
    return Executable(std::move(impl));
  }
  choices = runtime::choose_sparse(graph, inferred, layers, candidates, impl->target.threads);
  // Layers were measured alone; whether they gain together is measured once more.
  std::vector<Executable> both;
  auto dense = std::make_unique<Executable::Impl>(*impl);
  dense->finish(graph, inferred, {}, {});
  both.push_back(Executable(std::move(dense)));
  impl->finish(std::move(graph), inferred, {}, *choices);
  both.push_back(Executable(std::move(impl)));
  const std::vector<Latency> times =
      measure_in_turns(both, {.budget_seconds = 0.2, .max_runs = 7, .min_runs = 3});
  const bool pays = times[1].min_ms < times[0].min_ms;
  if (!pays) choices->leave_dense();
  runtime::keep_choices(target.choices_folder, key, *choices);
  return std::move(both[pays ? 1 : 0]);
}

}  // namespace coppice
