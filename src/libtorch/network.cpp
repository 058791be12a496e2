// See network.h.
#include "libtorch/network.h"

#include "core/error.h"
#include "libtorch/tensors.h"

namespace coppice::train {

// Strides are compared, not asked whether they are channels_last's: those of a single channel are
// both, and LibTorch then takes the tensor, and all that is computed from it, for row-major.
at::Tensor in_fast_layout(const at::Tensor& tensor) {
  if (tensor.dim() != 4 || !tensor.is_cpu()) return tensor;
  const auto channels_last = tensor.options().memory_format(at::MemoryFormat::ChannelsLast);
  at::Tensor ordered = at::empty(tensor.sizes(), channels_last);
  return tensor.strides() == ordered.strides() ? tensor : ordered.copy_(tensor);
}

Network::Network(Graph graph, Wanted wanted, at::Device device, Floats floats, StillChannels still)
    : graph_(std::move(graph)),
      wanted_(std::move(wanted)),
      device_(device),
      floats_(floats),
      still_(std::move(still)),
      constants_(graph_.values.size()) {
  leave_out_unread_outputs(graph_);
}

at::Tensor& Network::constant(ValueId id) {
  at::Tensor& tensor = constants_[id];
  if (tensor.defined()) return tensor;
  const at::Tensor copy = to_torch(*graph_.value(id).constant, device_);
  tensor = in_fast_layout(floats_ == Floats::doubled ? in_double(copy) : copy);
  return tensor;
}

std::vector<at::Tensor> Network::run(const std::vector<at::Tensor>& inputs, Gives gives,
                                     Mode mode) {
  const Program& made = program(inputs.front().size(0), gives);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Shape& expected = made.shape(graph_.inputs[i]);
    if (inputs[i].sizes() == at::IntArrayRef(expected)) continue;
    fail_input("input '" + graph_.value(graph_.inputs[i]).name + "': the " +
               (i == 0 ? "images are " : "feed is ") + to_string(inputs[i].sizes().vec()) +
               ", the model expects " + to_string(expected));
  }
  return made.run(constants_, inputs, mode);
}

void Network::watch(std::vector<ValueId> values) {
  if (wanted_.watched == values) return;
  wanted_.watched = std::move(values);
  std::erase_if(programs_, [](const auto& made) { return made.first.second == Gives::watched; });
}

const std::vector<ValueId>& Network::wanted(Gives gives) const {
  switch (gives) {
    case Gives::loss: return wanted_.loss;
    case Gives::outputs: return wanted_.outputs;
    default: return wanted_.watched;
  }
}

void Network::prepare() {
  InputSizes two;
  two.batch = 2;  // 1 could hide a batch in a Reshape
  const int64_t batch = input_shape(graph_, graph_.inputs.front(), two).front();
  for (const Gives gives : {Gives::loss, Gives::outputs}) program(batch, gives);
}

const Program& Network::program(int64_t batch, Gives gives) {
  const auto found = programs_.find({batch, gives});
  if (found != programs_.end()) return found->second;
  InputSizes sizes;
  sizes.batch = batch;
  const std::pair key(batch, gives);
  const Program& made =
      programs_.try_emplace(key, graph_, sizes, wanted(gives), device_, floats_, still_)
          .first->second;
  for (const ValueId id : made.constants_read()) constant(id);
  return made;
}

}  // namespace coppice::train
