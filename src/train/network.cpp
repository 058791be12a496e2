// See network.h.
#include "train/network.h"

#include "core/error.h"
#include "train/tensors.h"

namespace coppice::train {

at::Tensor channels_last(const at::Tensor& tensor) {
  return tensor.dim() == 4 ? tensor.contiguous(at::MemoryFormat::ChannelsLast) : tensor;
}

Network::Network(Graph graph, std::vector<ValueId> wanted, at::Device device)
    : graph_(std::move(graph)),
      wanted_(std::move(wanted)),
      device_(device),
      constants_(graph_.values.size()) {
  leave_out_unread_outputs(graph_);
}

at::Tensor& Network::constant(ValueId id) {
  at::Tensor& tensor = constants_[id];
  if (!tensor.defined()) tensor = channels_last(to_torch(*graph_.value(id).constant, device_));
  return tensor;
}

std::vector<at::Tensor> Network::run(const at::Tensor& images, Mode mode) {
  const Program& made = program(images.size(0));
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
  program(input_shape(graph_, graph_.inputs.front(), two).front());
}

const Program& Network::program(int64_t batch) {
  const auto found = programs_.find(batch);
  if (found != programs_.end()) return found->second;
  InputSizes sizes;
  sizes.batch = batch;
  const Program& made = programs_.try_emplace(batch, graph_, sizes, wanted_).first->second;
  for (const ValueId id : made.constants_read()) constant(id);
  return made;
}

}  // namespace coppice::train
