#include "runtime/compile/lowering.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "runtime/compile/onednn.h"

namespace coppice::runtime {
namespace {

using dnnl::memory;

// The primitive's arguments as oneDNN's C interface takes them, made once. Pointers are set in each
// run, which costs some nanoseconds and lets inputs and outputs lie where the caller has them. A
// copy has memory objects of its own, so that both may run at the same time.
class Call {
 public:
  Call(const dnnl::engine& engine, dnnl::primitive primitive,
       const std::vector<std::pair<int, Location>>& arguments)
      : primitive_(std::move(primitive)), stream_(engine) {
    for (const auto& [argument, location] : arguments) {
      memories_.emplace_back(location.desc, engine, nullptr);
      buffers_.push_back(location.buffer);
      arguments_.push_back({argument, memories_.back().get()});
    }
  }
  Call(const Call& other)
      : primitive_(other.primitive_),
        stream_(other.stream_.get_engine()),
        buffers_(other.buffers_),
        arguments_(other.arguments_) {
    for (size_t i = 0; i < other.memories_.size(); ++i) {
      const memory& of = other.memories_[i];
      memories_.emplace_back(of.get_desc(), of.get_engine(), nullptr);
      arguments_[i].memory = memories_.back().get();
    }
  }
  Call(Call&&) = default;
  Call& operator=(const Call&) = delete;
  ~Call() = default;

  void operator()(Pointers pointers) const {
    for (size_t i = 0; i < memories_.size(); ++i) {
      std::byte* const data = pointers[buffers_[i]];
      if (memories_[i].get_data_handle() != data) memories_[i].set_data_handle(data);
    }
    const dnnl_status_t status = dnnl_primitive_execute(
        primitive_.get(), stream_.get(), static_cast<int>(arguments_.size()), arguments_.data());
    COPPICE_CHECK(status == dnnl_success, "oneDNN failed to run a primitive it had accepted");
  }

  const std::vector<BufferId>& buffers() const { return buffers_; }

 private:
  dnnl::primitive primitive_;
  dnnl::stream stream_;
  std::vector<memory> memories_;
  std::vector<BufferId> buffers_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

// Blocked by channels, but with the bytes of the row-major layout: one pixel, no padded channel.
bool plain_bytes(const Description& desc) {
  const onednn::Layout d = onednn::layout_of(desc);
  if (!d.blocked || d.blocks.size() != 1 || d.dims.size() < 3 || d.block_axes[0] != 1 ||
      d.offset != 0 || d.padded_dims != d.dims) {
    return false;
  }
  if (!std::all_of(d.dims.begin() + 2, d.dims.end(), [](int64_t size) { return size == 1; })) {
    return false;
  }
  return d.strides[1] == d.blocks[0] && (d.dims[0] == 1 || d.strides[0] == d.dims[1]);
}

}  // namespace

Description strided_description(const Shape& shape, const Shape& strides) {
  return {memory::dims(shape.begin(), shape.end()), memory::data_type::f32,
          memory::dims(strides.begin(), strides.end())};
}

Description plain_description(const Shape& shape) {
  if (shape.empty()) return strided_description({1}, {1});
  Shape strides(shape.size(), 1);
  for (size_t i = shape.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * shape[i];
  return strided_description(shape, strides);
}

Lowering::Lowering(Graph& graph, const Inferred& inferred, SparseChoices choices)
    : graph_(graph),
      inferred_(inferred),
      choices_(std::move(choices)),
      engine_(dnnl::engine::kind::cpu, 0),
      stream_(engine_),
      locations_(graph.values.size()),
      reads_(graph.values.size(), 0) {
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) ++reads_[id];
    }
  }
  for (const ValueId id : graph.outputs) ++reads_[id];
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const ValueId id = graph.inputs[i];
    const Description desc = plain_description_of(id);
    const BufferId buffer = add_buffer(desc.get_size(), Home::input);
    plan_.buffers[buffer].index = static_cast<int32_t>(i);
    place_in(id, {buffer, desc});
  }
}

void Lowering::begin(const Layer& layer) {
  for (const int32_t n : layer.nodes) {
    for (const ValueId id : graph_.nodes[n].inputs) {
      if (id != kNoValue) --reads_[id];
    }
  }
  name_ = label_of(graph_, node(layer));
  kind_ = kind_of(graph_, layer);
}

void Lowering::cancel(const Layer& layer) {
  for (const int32_t n : layer.nodes) {
    for (const ValueId id : graph_.nodes[n].inputs) {
      if (id != kNoValue) ++reads_[id];
    }
  }
}

void Lowering::end(const Layer& layer) {
  for (const int32_t n : layer.nodes) {
    for (const ValueId id : graph_.nodes[n].inputs) {
      if (id != kNoValue && reads_[id] == 0) graph_.value(id).constant.reset();
    }
  }
}

const Tensor* Lowering::constant(ValueId id) const {
  const auto& tensor = graph_.value(id).constant;
  return tensor ? &*tensor : nullptr;
}

bool Lowering::describable(ValueId id) const {
  const Shape& sizes = shape(id);
  return dtype(id) == DType::f32 && !sizes.empty() && sizes.size() <= 6 && element_count(sizes) > 0;
}

Description Lowering::plain_description_of(ValueId id) const {
  if (describable(id)) return plain_description(shape(id));
  const auto bytes = element_count(shape(id)) * static_cast<int64_t>(size_of(dtype(id)));
  return {{bytes}, memory::data_type::u8, memory::dims{1}};
}

Location Lowering::natural(ValueId id) {
  if (locations_[id].empty()) {
    const Tensor* tensor = constant(id);
    COPPICE_CHECK(tensor, "value '" + graph_.value(id).name + "' is read before it is placed");
    Location location = pack(*tensor);
    location.desc = plain_description_of(id);
    place_in(id, location);
  }
  return locations_[id].front();
}

Location Lowering::packed(ValueId id) {
  const Location location = natural(id);
  return planes_of(location.desc) ? plain(id) : location;
}

Location Lowering::plain(ValueId id) {
  const Location location = natural(id);
  const Description desc = plain_description_of(id);
  if (plain_bytes(location.desc)) return {location.buffer, desc};
  return as(id, desc);
}

Location Lowering::plain(const Location& from, const Shape& shape) {
  const Description wanted = plain_description(shape);
  const memory::dims dims = onednn::layout_of(from.desc).dims;
  const Description plain = plain_description({dims.begin(), dims.end()});
  if (from.desc == plain || plain_bytes(from.desc)) return {from.buffer, wanted};
  return {reorder(from, plain).buffer, wanted};
}

Location Lowering::as(ValueId id, const Description& desc) {
  natural(id);
  for (const Location& location : locations_[id]) {
    if (location.desc == desc) return location;
  }
  const Location copy = reorder(locations_[id].front(), desc);
  place_in(id, copy);
  return copy;
}

Location Lowering::reorder(const Location& from, const Description& desc) {
  const Location to = allocate(desc);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::reorder::primitive_desc reordering(engine_, from.desc, engine_, desc, attributes);
  add_primitive(reordering, dnnl::reorder(reordering), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}},
                "Reorder");
  if (const auto planes = planes_of(desc)) {
    add_step(
        {to.buffer},
        [planes = *planes, to](Pointers pointers) {
          planes.clear_between(reinterpret_cast<float*>(pointers[to.buffer]));
        },
        "Reorder");
  }
  return to;
}

const SparseVariant* Lowering::sparse_variant(const Layer& layer) const {
  const auto found = choices_.convs.find(layer.nodes[0]);
  return found == choices_.convs.end() ? nullptr : &found->second;
}

const Isa* Lowering::sparse_product(const Layer& layer) const {
  const auto found = choices_.products.find(layer.nodes[0]);
  return found == choices_.products.end() ? nullptr : &found->second;
}

// The planes of channels between the two of zeros, which are part of the memory.
Description Lowering::planes_description(ValueId id) const {
  const Planes p = planes(id);
  const Description all =
      strided_description({p.images, p.channels + 2, p.rows, p.columns}, p.strides());
  return all.submemory_desc({p.images, p.channels, p.rows, p.columns}, {0, 1, 0, 0});
}

std::optional<Planes> Lowering::planes_of(const Description& desc) const {
  const onednn::Layout layout = onednn::layout_of(desc);
  const Shape shape(layout.dims.begin(), layout.dims.end());
  if (!layout.blocked || layout.offset == 0 || !choices_.sizes.knows(shape)) return std::nullopt;
  const Shape strides(layout.strides.begin(), layout.strides.end());
  const Planes planes = choices_.sizes.of(shape);
  return strides == planes.strides() ? std::optional(planes) : std::nullopt;
}

bool Lowering::read_later(BufferId buffer) const {
  return std::any_of(residents_[buffer].begin(), residents_[buffer].end(),
                     [&](ValueId id) { return reads_[id] > 0; });
}

bool Lowering::may_overwrite(ValueId id, std::span<const ValueId> others) const {
  for (const Location& location : locations_[id]) {
    const BufferId buffer = location.buffer;
    if (plan_.buffers[buffer].home != Home::arena || read_later(buffer)) return false;
    for (const ValueId other : others) {
      if (other == kNoValue) continue;
      for (const Location& taken : locations_[other]) {
        if (taken.buffer == buffer) return false;
      }
    }
  }
  return !locations_[id].empty();
}

Location Lowering::place(ValueId id, const Description& desc) {
  const Location location = allocate(desc);
  place_in(id, location);
  return location;
}

void Lowering::place_in(ValueId id, const Location& location) {
  locations_[id].push_back(location);
  residents_[location.buffer].push_back(id);
}

Location Lowering::allocate(const Description& desc) {
  // oneDNN knows no size of what begins behind the memory's beginning.
  const auto planes = planes_of(desc);
  const size_t bytes =
      planes ? static_cast<size_t>(planes->floats()) * sizeof(float) : desc.get_size();
  return {add_buffer(bytes, Home::arena), desc};
}

BufferId Lowering::add_buffer(size_t bytes, Home home) {
  Buffer buffer;
  buffer.bytes = bytes;
  buffer.home = home;
  plan_.buffers.push_back(std::move(buffer));
  residents_.emplace_back();
  return static_cast<BufferId>(plan_.buffers.size()) - 1;
}

Location Lowering::pack(const Tensor& tensor) {
  const BufferId buffer = add_buffer(tensor.bytes().size(), Home::constant);
  plan_.buffers[buffer].constant = allocate_aligned(tensor.bytes().size());
  std::copy(tensor.bytes().begin(), tensor.bytes().end(), plan_.buffers[buffer].constant.get());
  return {buffer, plain_description(tensor.shape())};
}

Location Lowering::pack(const Tensor& tensor, const Description& from, const Description& to) {
  const BufferId buffer = add_buffer(to.get_size(), Home::constant);
  plan_.buffers[buffer].constant = allocate_aligned(to.get_size());
  memory source(from, engine_, const_cast<std::byte*>(tensor.bytes().data()));
  memory target(to, engine_, plan_.buffers[buffer].constant.get());
  dnnl::reorder(source, target).execute(stream_, source, target);
  return {buffer, to};
}

void Lowering::add_step(std::vector<BufferId> buffers, std::function<void(Pointers)> run,
                        const std::string& kind) {
  plan_.steps.push_back({name_, kind.empty() ? kind_ : kind, std::move(buffers), std::move(run)});
}

void Lowering::set_work(Work work) { plan_.steps.back().work = std::move(work); }

void Lowering::add_primitive(const dnnl::primitive_desc_base& desc,
                             const dnnl::primitive& primitive,
                             std::vector<std::pair<int, Location>> arguments,
                             const std::string& kind) {
  if (const Description own = desc.scratchpad_desc(); own.get_size() > 0) {
    arguments.emplace_back(DNNL_ARG_SCRATCHPAD, allocate(own));
  }
  Call call(engine_, primitive, arguments);
  std::vector<BufferId> buffers = call.buffers();
  add_step(std::move(buffers), std::move(call), kind);
}

// A plain result in memory of its own is written to the caller's; any other is copied there.
void Lowering::bring_output(int32_t index) {
  const ValueId id = graph_.outputs[index];
  name_ = graph_.value(id).name;
  const Location from = plain(id);
  Buffer& buffer = plan_.buffers[from.buffer];
  const size_t bytes = from.desc.get_size();
  if (buffer.home == Home::arena && buffer.bytes == bytes) {
    buffer.home = Home::output;
    buffer.index = index;
    return;
  }
  const BufferId to = add_buffer(bytes, Home::output);
  plan_.buffers[to].index = index;
  add_step(
      {from.buffer, to},
      [source = from.buffer, to, bytes](Pointers pointers) {
        if (bytes > 0) std::memcpy(pointers[to], pointers[source], bytes);
      },
      "Copy");
}

Plan Lowering::finish() {
  for (size_t i = 0; i < graph_.outputs.size(); ++i) bring_output(static_cast<int32_t>(i));
  plan_memory(plan_);
  return std::move(plan_);
}

}  // namespace coppice::runtime
