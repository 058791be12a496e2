// See norm.h.
#include "libtorch/fused/norm.h"

#include <cmath>

#include "core/error.h"
#include "libtorch/fused/chunks.h"
#include "libtorch/loops/channels.h"
#include "libtorch/torch.h"

namespace coppice::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// As PyTorch: the variance that is kept is the unbiased one.
void move_running(const NormSettings& settings, const Moments& batch, double rows) {
  const auto move = [&](const at::Tensor& running, const std::vector<double>& to, double factor) {
    float* value = running.data_ptr<float>();
    for (size_t c = 0; c < to.size(); ++c) {
      value[c] = static_cast<float>(settings.momentum * (to[c] * factor) +
                                    (1 - settings.momentum) * value[c]);
    }
  };
  move(settings.mean, batch.mean, 1);
  move(settings.variance, batch.variance, rows / (rows - 1));
}

// What the pass back needs beside x, which autograd keeps.
struct Kept {
  at::Tensor scale, shift;
  std::vector<double> mean, deviation;
  double epsilon = 0;
  bool rectified = false, summed = false;
};

// scale / deviation, and shift - mean scale / deviation, by place.
struct Applied {
  Applied(const Kept& kept, int64_t period) {
    std::vector<double> f(kept.mean.size()), s(kept.mean.size());
    for (size_t c = 0; c < f.size(); ++c) {
      f[c] = static_cast<float>(kept.scale.data_ptr<float>()[c] / kept.deviation[c]);
      s[c] = kept.shift.data_ptr<float>()[c] - kept.mean[c] * f[c];
    }
    factor = repeated(f, period);
    shift = repeated(s, period);
  }
  Line line() const { return {factor, shift}; }

  std::vector<float> factor, shift;
};

struct Sums {  // by channel, of the gradients, and of them times (x - mean)
  std::vector<double> gradients, products;
};

// `chunk`: adds up the sums of one, by place.
template <typename OfChunk>
Sums sums_of(const Chunks& chunks, const OfChunk& of_chunk) {
  std::vector<Sums> found(chunks.number());
  chunks.each([&](const Chunk& chunk) {
    std::vector<float> sums(chunks.period(), 0), products(chunks.period(), 0);
    of_chunk(chunk, sums, products);
    found[chunk.index] = {folded(sums, chunks.channels()), folded(products, chunks.channels())};
  });
  Sums all = found.front();
  for (size_t i = 1; i < found.size(); ++i) {
    for (int64_t c = 0; c < chunks.channels(); ++c) {
      all.gradients[c] += found[i].gradients[c];
      all.products[c] += found[i].products[c];
    }
  }
  return all;
}

struct Gradients {
  at::Tensor x, scale, shift, other;
};

// Where something was added, what passes the rectifier is its gradient, too, and is kept; else it
// is found again from x, which costs less than memory.
Gradients gradients_of(const Kept& kept, const at::Tensor& x, const at::Tensor& y,
                       const at::Tensor& gradient) {
  const Chunks chunks(x);
  const Applied applied(kept, chunks.period());
  const std::vector<float> means = repeated(kept.mean, chunks.period());
  Gradients found{at::empty_like(x), at::empty_like(kept.scale), at::empty_like(kept.scale),
                  kept.summed ? at::empty_like(x) : gradient};
  const auto part = [&](const at::Tensor& g, const Chunk& chunk) {
    return Back{x.data_ptr<float>() + chunk.begin, g.data_ptr<float>() + chunk.begin,
                applied.line()};
  };
  const Sums sums = sums_of(chunks, [&](const Chunk& chunk, auto& sum, auto& product) {
    if (kept.summed) {
      add_passing(part(gradient, chunk), y.data_ptr<float>() + chunk.begin,
                  found.other.data_ptr<float>() + chunk.begin, chunk.count, means.data(), sum,
                  product);
    } else {
      (kept.rectified ? add_rectified : add_gradients)(part(gradient, chunk), chunk.count,
                                                       means.data(), sum, product);
    }
  });
  std::vector<double> mean_gradient(chunks.channels()), slope(chunks.channels());
  for (int64_t c = 0; c < chunks.channels(); ++c) {
    const double deviation = kept.deviation[c];
    found.shift.data_ptr<float>()[c] = static_cast<float>(sums.gradients[c]);
    found.scale.data_ptr<float>()[c] = static_cast<float>(sums.products[c] / deviation);
    mean_gradient[c] = sums.gradients[c] / chunks.rows();
    slope[c] = sums.products[c] / (deviation * deviation) / chunks.rows();
  }
  const std::vector<float> by_mean = repeated(mean_gradient, chunks.period()),
                           slopes = repeated(slope, chunks.period());
  const auto go_back = kept.rectified && !kept.summed ? follow_back_rectified : follow_back;
  chunks.each([&](const Chunk& chunk) {
    go_back(part(found.other, chunk), chunk.count, {by_mean, means, slopes, applied.factor},
            found.x.data_ptr<float>() + chunk.begin);
  });
  return found;
}

// The same by LibTorch's functions, for gradients that are differentiated again.
Gradients differentiable_gradients(const Kept& kept, const variable_list& saved,
                                   const at::Tensor& gradient) {
  const at::Tensor y = at::batch_norm(saved[0], saved[1], saved[2], {}, {}, /*training=*/true, 0,
                                      kept.epsilon, false);
  at::Tensor passed = gradient;
  if (kept.rectified) {
    const at::Tensor rectified = kept.summed ? saved[3] : y;
    passed = gradient * rectified.detach().gt(0).to(gradient.scalar_type());
  }
  variable_list wanted;
  for (size_t i = 0; i < 3; ++i) {
    if (saved[i].requires_grad()) wanted.push_back(saved[i]);
  }
  const variable_list found =
      torch::autograd::grad({y}, wanted, {passed}, /*retain_graph=*/true, /*create_graph=*/true);
  auto next = found.begin();
  variable_list all(3);
  for (size_t i = 0; i < 3; ++i) {
    if (saved[i].requires_grad()) all[i] = *next++;
  }
  return {all[0], all[1], all[2], passed};
}

at::Tensor tensor_of(const std::vector<double>& values) {
  return at::tensor(values, at::TensorOptions(at::kDouble));
}
std::vector<double> values_of(const at::IValue& value) {
  const at::Tensor& tensor = value.toTensor();
  return {tensor.data_ptr<double>(), tensor.data_ptr<double>() + tensor.numel()};
}

class Normalise : public torch::autograd::Function<Normalise> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& scale,
                            const at::Tensor& shift, const c10::optional<at::Tensor>& other,
                            const NormSettings& settings, bool rectified) {
    const Chunks chunks(x);
    const Moments batch = moments_of(x.data_ptr<float>(), chunks);
    move_running(settings, batch, chunks.rows());
    std::vector<double> deviation = batch.variance;
    for (double& value : deviation) value = std::sqrt(value + settings.epsilon);
    const Applied applied(
        {.scale = scale, .shift = shift, .mean = batch.mean, .deviation = deviation},
        chunks.period());
    const at::Tensor y = at::empty_like(x);
    const float* added = other ? other->data_ptr<float>() : nullptr;
    chunks.each([&](const Chunk& chunk) {
      float* to = y.data_ptr<float>() + chunk.begin;
      follow(x.data_ptr<float>() + chunk.begin, added ? added + chunk.begin : nullptr, chunk.count,
             applied.line(), to);
      if (rectified) rectify(to, chunk.count);
    });
    context->save_for_backward(added ? variable_list{x, scale, shift, y}
                                     : variable_list{x, scale, shift});
    context->saved_data["mean"] = tensor_of(batch.mean);
    context->saved_data["deviation"] = tensor_of(deviation);
    context->saved_data["epsilon"] = settings.epsilon;
    context->saved_data["rectified"] = rectified;
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    auto& data = context->saved_data;
    const Kept kept{saved[1],
                    saved[2],
                    values_of(data["mean"]),
                    values_of(data["deviation"]),
                    data["epsilon"].toDouble(),
                    data["rectified"].toBool(),
                    saved.size() > 3};
    Gradients found;
    if (at::GradMode::is_enabled()) {
      found = differentiable_gradients(kept, saved, gradients[0]);
    } else {
      at::Tensor gradient = gradients[0];
      if (gradient.strides() != saved[0].strides()) {
        gradient = at::empty_like(saved[0]).copy_(gradient);
      }
      found = gradients_of(kept, saved[0], kept.summed ? saved[3] : at::Tensor(), gradient);
    }
    return {found.x, found.scale, found.shift, kept.summed ? found.other : at::Tensor(), {}, {}};
  }
};

bool side_by_side(const at::Tensor& x) {
  if (x.dim() == 2) return x.is_contiguous();
  return x.dim() == 4 && x.stride(1) == 1 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

bool fits_normalise_batch(const at::Tensor& x, const NormSettings& settings,
                          const at::Tensor& other) {
  if (!x.is_cpu() || x.scalar_type() != at::kFloat || !side_by_side(x)) return false;
  for (const at::Tensor& by_channel :
       {settings.scale, settings.shift, settings.mean, settings.variance}) {
    if (by_channel.scalar_type() != at::kFloat || !by_channel.is_contiguous()) return false;
  }
  return !other.defined() || (other.scalar_type() == at::kFloat && other.sizes() == x.sizes() &&
                              other.strides() == x.strides());
}

at::Tensor normalise_batch(const at::Tensor& x, const NormSettings& settings,
                           const at::Tensor& other, Rectify rectify) {
  COPPICE_CHECK(!other.defined() || rectify == Rectify::yes, "a sum that isn't rectified");
  const auto added = other.defined() ? c10::optional<at::Tensor>(other) : c10::nullopt;
  return Normalise::apply(x, settings.scale, settings.shift, added, settings,
                          rectify == Rectify::yes);
}

}  // namespace coppice::train
