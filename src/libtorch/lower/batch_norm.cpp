// BatchNormalization, with the statistics of the batch while it is trained, and Dropout.
//
// Training moves the running statistics in place: running = momentum running + (1 - momentum)
// batch, ONNX's momentum being one minus LibTorch's. As in PyTorch the variance that is kept is the
// unbiased one (sum / (n - 1)), the variance that normalises the batch is not.
#include "graph/views/batch_norm.h"

#include <array>

#include "core/error.h"
#include "libtorch/fused/norm.h"
#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

// Where fused/norm.h doesn't come in: in evaluation, and where channels are still. Why: LibTorch's
// CPU kernels of normalisation in channels_last take widths that don't fill a
// vector of 8 one by one. A ResNet-56 of 12, 24 and 48 channels trains at 87 images/s with them,
// at 247 when its normalisations alone are row-major, at 232 when all of it is (two cores,
// LibTorch 1.13.1, November 2026).
bool prefers_row_major(const at::Tensor& x) {
  return x.dim() == 4 && x.size(1) % 8 != 0 && x.is_cpu();
}

// In place of what the batch's statistics give for some channels: what the running ones do, which
// stay as they are.
class Still {
 public:
  explicit Still(std::vector<int64_t> channels) : channels_(std::move(channels)) {}

  bool none() const { return channels_.empty(); }

  template <typename Normalise>
  at::Tensor behind(const at::Tensor& x, const NormSettings& all_settings,
                    const Normalise& normalise) const {
    const std::array<at::Tensor, 4> settings = {all_settings.scale, all_settings.shift,
                                                all_settings.mean, all_settings.variance};
    const at::Tensor at = at::tensor(channels_, at::TensorOptions(at::kLong).device(x.device()));
    std::array<at::Tensor, 4> own;  // scale, shift, mean, variance
    for (size_t i = 0; i < own.size(); ++i) own[i] = settings[i].index_select(0, at);
    const at::Tensor all = normalise();  // moves the running statistics of all
    // The gradient of `all` doesn't read the running ones, though autograd keeps them: written over
    // as data, they don't count as changed.
    for (const size_t i : {2, 3}) settings[i].variable_data().index_copy_(0, at, own[i]);
    const at::Tensor still = at::batch_norm(x.index_select(1, at), own[0], own[1], own[2], own[3],
                                            /*training=*/false, 0, all_settings.epsilon, false);
    return all.index_copy(1, at, still);
  }

 private:
  std::vector<int64_t> channels_;
};

// By the batch's statistics while it trains, by the running ones else.
at::Tensor normalise(const at::Tensor& x, const NormSettings& settings, bool training,
                     const Still& still) {
  const at::MemoryFormat format = x.suggest_memory_format();
  const at::Tensor ordered = prefers_row_major(x) ? x.contiguous() : x;
  const auto all = [&] {
    return at::batch_norm(ordered, settings.scale, settings.shift, settings.mean, settings.variance,
                          training, settings.momentum, settings.epsilon,
                          /*cudnn_enabled=*/true);
  };
  const bool by_two = training && !still.none();
  return (by_two ? still.behind(ordered, settings, all) : all()).contiguous(format);
}

}  // namespace

Step lower_batch_norm(const LowerContext& context) {
  return lower_norm_chain(context,
                          {.other = kNoValue, .rectifies = false, .output = context.out()});
}

Step lower_norm_chain(const LowerContext& context, const NormChain& chain) {
  const Attributes& attributes = context.attributes();
  const BatchNormMode of_file = mode_of(context.node());
  if (of_file == BatchNormMode::training) {
    context.fail("it is in training mode; export the model for inference");
  }
  if (of_file == BatchNormMode::by_pixel) {
    context.fail("'spatial' is 0, only statistics by channel can be trained");
  }
  const Shape& shape = context.shape(0);
  const int64_t count = shape[1] == 0 ? 0 : element_count(shape) / shape[1];
  // An evaluation at this size is fine, so the step itself objects.
  const std::string too_few = where(context.graph(), context.node()) + ": batch and image give " +
                              std::to_string(count) +
                              " value a channel, its statistics need 2 or more; train with a "
                              "larger batch";
  return [count, too_few, momentum = 1 - static_cast<double>(attributes.real("momentum", 0.9f)),
          epsilon = static_cast<double>(attributes.real("epsilon", 1e-5f)),
          still = Still(context.still_channels(1)), inputs = context.node().inputs,
          chain](Values& values, Mode mode) {
    const bool training = mode == Mode::training;
    if (training && count < 2) fail_input(too_few);
    const NormSettings settings{values[inputs[1]], values[inputs[2]], values[inputs[3]],
                                values[inputs[4]], momentum,          epsilon};
    const at::Tensor x = values[inputs[0]];
    const at::Tensor other = chain.other == kNoValue ? at::Tensor() : values[chain.other];
    if (training && still.none() && fits_normalise_batch(x, settings, other)) {
      values[chain.output] =
          normalise_batch(x, settings, other, chain.rectifies ? Rectify::yes : Rectify::no);
      return;
    }
    at::Tensor y = normalise(x, settings, training, still);
    if (other.defined()) y = y.scalar_type() == other.scalar_type() ? y.add_(other) : y + other;
    values[chain.output] = chain.rectifies ? y.relu_() : y;
  };
}

// Whatever the file says of training mode, it was exported for inference: ours decides.
Step lower_dropout(const LowerContext& context) {
  const Tensor* training = context.known(2);
  if (training && number_of(context, *training, "'training_mode'") != 0) {
    context.fail("it is in training mode; export the model for inference");
  }
  const Tensor* given = context.known(1);
  const double ratio = given ? number_of(context, *given, "'ratio'")
                             : static_cast<double>(context.attributes().real("ratio", 0.5f));
  if (!(ratio >= 0 && ratio <= 1)) {
    context.fail("'ratio' is " + std::to_string(ratio) + ", expected 0 to 1");
  }
  return [ratio, x = context.in(0), y = context.out()](Values& values, Mode mode) {
    const bool drops = mode == Mode::training && ratio > 0;
    values[y] = drops ? at::dropout(values[x], ratio, true) : at::alias(values[x]);
  };
}

}  // namespace coppice::train
