// Channels that fill up the last block must stay zero: x is zero there and s is packed to be, so
// sums, differences and products are; quotients are not, and are refused unless all blocks are
// full.

#include "runtime/steps/channelwise.h"

#include <algorithm>

#include "runtime/steps/views.h"

namespace coppice::runtime {
namespace {

using dnnl::algorithm;

struct Channelwise {
  BufferId x, s, y;
  int64_t pictures, blocks, pixels, block;
  int64_t s_step;  // from one picture's numbers to the next one's; 0: the same for all

  template <typename Function>
  void apply(Pointers pointers, Function function) const {
    const float* const from = reinterpret_cast<const float*>(pointers[x]);
    const float* const numbers = reinterpret_cast<const float*>(pointers[s]);
    float* const to = reinterpret_cast<float*>(pointers[y]);
#pragma omp parallel for collapse(2)
    for (int64_t n = 0; n < pictures; ++n) {
      for (int64_t c = 0; c < blocks; ++c) {
        const int64_t start = (n * blocks + c) * pixels * block;
        const float* const number = numbers + n * s_step + c * block;
        for (int64_t p = 0; p < pixels; ++p) {
          const float* const in = from + start + p * block;
          float* const out = to + start + p * block;
          for (int64_t k = 0; k < block; ++k) out[k] = function(in[k], number[k]);
        }
      }
    }
  }
};

std::function<void(Pointers)> step_of(const Channelwise& c, algorithm function) {
  switch (function) {
    case algorithm::binary_add:
      return [c](Pointers p) { c.apply(p, [](float a, float b) { return a + b; }); };
    case algorithm::binary_sub:
      return [c](Pointers p) { c.apply(p, [](float a, float b) { return a - b; }); };
    case algorithm::binary_mul:
      return [c](Pointers p) { c.apply(p, [](float a, float b) { return a * b; }); };
    case algorithm::binary_div:
      return [c](Pointers p) { c.apply(p, [](float a, float b) { return a / b; }); };
    default: return nullptr;
  }
}

Shape aligned(Shape shape, const Shape& out) {
  shape.insert(shape.begin(), out.size() - shape.size(), 1);
  return shape;
}

// The numbers in blocks of channels, with zeros behind the last channel.
Location numbers_of(Lowering& lowering, ValueId second, Shape shape, int64_t channels,
                    int64_t block) {
  const Tensor* constant = lowering.constant(second);
  if (!constant) {
    const Location plain{lowering.plain(second).buffer, plain_description(shape)};
    return lowering.reorder(plain, blocked_description(shape, block));
  }
  Tensor values = *constant;
  if (shape[1] != channels) {
    shape[1] = channels;
    values = Tensor::of<float>(shape, std::vector<float>(channels, constant->as<float>()[0]));
  }
  return lowering.pack(values, plain_description(shape), blocked_description(shape, block));
}

}  // namespace

bool is_channelwise(const Lowering& lowering, ValueId second, const Shape& out) {
  if (lowering.dtype(second) != DType::f32 || lowering.shape(second).size() > out.size()) {
    return false;
  }
  const Shape shape = aligned(lowering.shape(second), out);
  const int64_t count = element_count(shape);
  if (count == 1) return lowering.constant(second) != nullptr;
  return shape[1] == out[1] &&
         (count == out[1] || (shape[0] == out[0] && count == out[0] * out[1]));
}

bool lower_channelwise(Lowering& lowering, const Layer& layer, ValueId x, ValueId second,
                       algorithm function) {
  const Location from = lowering.natural(x);
  const Shape& out = lowering.shape(layer.output);
  const int64_t block = channel_block(from.desc).value_or(1);
  if (block == 1 || !layer.post_ops.empty()) return false;
  if (function == algorithm::binary_div && out[1] % block != 0) return false;

  const Shape shape = aligned(lowering.shape(second), out);
  const Location numbers = numbers_of(lowering, second, shape, out[1], block);
  const ValueId others[] = {second};
  const Location to = lowering.may_overwrite(x, others) ? from : lowering.allocate(from.desc);
  lowering.place_in(layer.output, to);
  const int64_t blocks = (out[1] + block - 1) / block;
  const Channelwise step{from.buffer, numbers.buffer,
                         to.buffer,   out[0],
                         blocks,      element_count({out.begin() + 2, out.end()}),
                         block,       shape[0] == 1 ? 0 : blocks * block};
  lowering.add_step({from.buffer, numbers.buffer, to.buffer}, step_of(step, function));
  return true;
}

}  // namespace coppice::runtime
