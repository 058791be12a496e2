// See opened_model.h.
#include "capi/opened_model.h"

#include <algorithm>

#include "core/error.h"
#include "model/load.h"

namespace coppice {
namespace {

void require_batch(const Graph& graph, int64_t batch) {
  if (batch == 0) return;
  for (const ValueId id : graph.inputs) {
    const auto& declared = graph.value(id).declared;
    if (!declared || declared->empty() || !declared->front().fixed()) continue;
    if (declared->front().size == batch) continue;
    fail_usage("batch " + std::to_string(batch) + ": that of input '" + graph.value(id).name +
               "' is fixed at " + std::to_string(declared->front().size));
  }
}

Executable compiled(const std::string& path, const OpenOptions& options) {
  Model model = load_model(path, 0, options.input_shapes);
  return within("'" + path + "'", [&] {
    if (!model.assumed.empty()) {
      fail_input(model.assumed.substr(0, model.assumed.find(',')) +
                 ", which leaves more than its batch open; say its sizes in input_shapes");
    }
    require_batch(model.graph, options.batch);
    Target target;
    target.threads = options.threads;
    target.sparsity = Target::Sparsity::timed;
    target.choices_folder = options.choices_folder;
    const InputSizes sizes{.inputs = {}, .batch = std::max<int64_t>(1, options.batch)};
    return compile(std::move(model.graph), sizes, target);
  });
}

OpenedModel::TensorInfo info_of(const std::string& name, DType dtype, const Shape& shape) {
  const auto count = static_cast<size_t>(element_count(shape));
  return {name, dtype, shape, count * size_of(dtype)};
}

}  // namespace

OpenedModel::OpenedModel(const std::string& path, const OpenOptions& options) {
  Executable executable = compiled(path, options);
  for (size_t i = 0; i < executable.input_names().size(); ++i) {
    inputs_.push_back(
        info_of(executable.input_names()[i], executable.input_dtype(i), executable.input_shape(i)));
  }
  for (size_t i = 0; i < executable.output_names().size(); ++i) {
    outputs_.push_back(info_of(executable.output_names()[i], executable.output_dtype(i),
                               executable.output_shape(i)));
  }
  first_ = std::make_unique<const Executable>(executable.twin());
  idle_.push_back(std::move(executable));
}

Executable OpenedModel::take() {
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      Executable executable = std::move(idle_.back());
      idle_.pop_back();
      return executable;
    }
  }
  return first_->twin();
}

void OpenedModel::give_back(Executable executable) {
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(executable));
}

void OpenedModel::run(std::span<const std::byte* const> inputs,
                      std::span<std::byte* const> outputs) {
  // After an error it isn't given back: the next run makes another.
  Executable executable = take();
  executable.run_at(inputs, outputs);
  give_back(std::move(executable));
}

}  // namespace coppice
