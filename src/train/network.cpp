// See network.h.
#include "train/network.h"

#include "core/error.h"
#include "train/tensors.h"

namespace coppice::train {

at::Tensor in_fast_layout(const at::Tensor& tensor) {
  return tensor.dim() == 4 && tensor.is_cpu() ? tensor.contiguous(at::MemoryFormat::ChannelsLast)
                                              : tensor;
}

Network::Network(Graph graph, Wanted wanted, at::Device device)
    : graph_(std::move(graph)),
      wanted_(std::move(wanted)),
      device_(device),
      constants_(graph_.values.size()) {
  leave_out_unread_outputs(graph_);
}

at::Tensor& Network::constant(ValueId id) {
  at::Tensor& tensor = constants_[id];
  if (!tensor.defined()) tensor = in_fast_layout(to_torch(*graph_.value(id).constant, device_));
  return tensor;
}

std::vector<at::Tensor> Network::run(const at::Tensor& images, Mode mode) {
  const Program& made = program(images.size(0), mode);
  const Shape& expected = made.shape(graph_.inputs.front());
  if (images.sizes() != at::IntArrayRef(expected)) {
    fail_input("input '" + graph_.value(graph_.inputs.front()).name + "': the pictures are " +
               to_string(images.sizes().vec()) + ", the model expects " + to_string(expected));
  }
  return made.run(constants_, {images}, mode);
}

void Network::prepare() {
  InputSizes two;
  two.batch = 2;  // 1 could hide a batch in a Reshape
  const int64_t batch = input_shape(graph_, graph_.inputs.front(), two).front();
  for (const Mode mode : {Mode::training, Mode::evaluation}) program(batch, mode);
}

const Program& Network::program(int64_t batch, Mode mode) {
  const auto found = programs_.find({batch, mode});
  if (found != programs_.end()) return found->second;
  InputSizes sizes;
  sizes.batch = batch;
  const auto& wanted = mode == Mode::training ? wanted_.training : wanted_.evaluation;
  const std::pair key(batch, mode);
  const Program& made = programs_.try_emplace(key, graph_, sizes, wanted, device_).first->second;
  for (const ValueId id : made.constants_read()) constant(id);
  return made;
}

}  // namespace coppice::train
