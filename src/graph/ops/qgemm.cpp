// QGemm (domain com.microsoft): Gemm of codes, with a bias of int32 in steps of both.
//
//   y = saturate(round(alpha * (sum of (a - a_zero) (b - b_zero) + c) * a_step * b_step / y_step)
//                + y_zero)          floats, without the division, where no y_step is given

#include "core/error.h"
#include "graph/ops/codes.h"
#include "graph/ops/gemm_layout.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

constexpr int kA = 0, kB = 3, kBias = 6, kStep = 7, kZero = 8;

void infer(InferContext& context) {
  const Shape &a = context.shape(kA), &b = context.shape(kB);
  if (a.size() != 2 || b.size() != 2) {
    context.fail("A has shape " + to_string(a) + ", B " + to_string(b) + "; expected rank 2");
  }
  const GemmLayout layout = gemm_layout(context.node());
  if (a[layout.a_inner] != b[layout.b_inner]) {
    context.fail("weight expects " + std::to_string(b[layout.b_inner]) + " input features, found " +
                 std::to_string(a[layout.a_inner]));
  }
  const DType codes = context.has(kZero) ? context.type(kZero).dtype : context.type(kA).dtype;
  context.set(0, context.has(kStep) ? codes : DType::f32, {a[layout.rows], b[layout.columns]});
}

void tie(Relations& relations, int input, const Axis& columns) {
  if (!relations.has_input(input)) return;
  const int64_t last = relations.rank(input) - 1;
  if (last < 0 || relations.input_shape(input)[last] != std::ssize(columns)) return;
  if (columns.size() > 1)
    relations.unify(columns, relations.input(input, last), "columns of QGemm");
}

void relate(Relations& relations) {
  const GemmLayout layout = gemm_layout(relations.node());
  const Axis rows = relations.input(kA, layout.rows);
  const Axis columns = relations.input(kB, layout.columns);
  relations.role(kB, layout.columns, Role::filter);
  relations.role(kB, layout.b_inner, Role::input_channel);
  relate_contraction(relations, kA, layout.a_inner, kB, layout.b_inner, "input features of QGemm");
  for (const int input : {kB + 1, kB + 2, kBias}) tie(relations, input, columns);
  bool zero = relations.zero_when_dead(kB, layout.columns);
  if (relations.has_input(kBias)) {
    const int64_t last = relations.rank(kBias) - 1;
    relations.role(kBias, last, Role::bias);
    zero = zero && relations.zero_when_dead(kBias, last);
  }
  relations.output(0, 0, rows, false);
  relations.output(0, 1, columns, zero);
}

int64_t macs(const Node& node, std::span<const Shape> inputs, std::span<const Shape> outputs) {
  return element_count(outputs[0]) * inputs[kA][gemm_layout(node).a_inner];
}

// One for all, or one for each column.
template <typename T>
T at(std::span<const T> several, int64_t column) {
  return several.empty() ? T{} : several[several.size() == 1 ? 0 : column];
}

std::vector<Tensor> evaluate(const Graph& graph, const Node& node,
                             std::span<const Tensor* const> inputs) {
  const auto integers = [&](size_t input) {
    const bool given = input < inputs.size() && inputs[input];
    return given ? to_int64s(*inputs[input]) : std::vector<int64_t>{};
  };
  const GemmLayout layout = gemm_layout(node);
  const Shape &a_shape = inputs[kA]->shape(), &b_shape = inputs[kB]->shape();
  const int64_t rows = a_shape[layout.rows], columns = b_shape[layout.columns];
  const int64_t inner = a_shape[layout.a_inner];
  const std::vector<int64_t> a = integers(kA), b = integers(kB), bias = integers(kBias);
  const std::vector<int64_t> a_zero = integers(kA + 2), b_zero = integers(kB + 2);
  const std::span<const float> b_step = inputs[kB + 1]->as<float>();
  const double alpha = node.attributes.real("alpha", 1);
  const double a_step = scalar_of(graph, node, *inputs[kA + 1]);
  const bool coded = inputs.size() > kStep && inputs[kStep];
  Tensor floats = Tensor::zeros(DType::f32, {rows, columns});
  const auto to = floats.mutate<float>();
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      double sum =
          static_cast<double>(at<int64_t>(bias, bias.size() == to.size() ? r * columns + c : c));
      for (int64_t k = 0; k < inner; ++k) {
        const int64_t x = a[r * (layout.rows == 0 ? inner : 1) + k * (layout.rows == 0 ? 1 : rows)];
        const int64_t w =
            b[k * (layout.b_inner == 0 ? columns : 1) + c * (layout.b_inner == 0 ? 1 : inner)];
        sum += static_cast<double>((x - at<int64_t>(a_zero, 0)) * (w - at<int64_t>(b_zero, c)));
      }
      to[r * columns + c] = static_cast<float>(alpha * sum * a_step * at(b_step, c));
    }
  }
  if (!coded) return {std::move(floats)};
  const double step = scalar_of(graph, node, *inputs[kStep]);
  const std::vector<int64_t> zero = integers(kZero);
  const DType type = zero.empty() ? inputs[kA]->dtype() : inputs[kZero]->dtype();
  return {codes_of(graph, node, floats, step, at<int64_t>(zero, 0), type)};
}

}  // namespace

extern const OpDef kQGemm{
    .type = "QGemm",
    .arity = {6, 9},
    .reads = {Reads::code, Reads::step, Reads::zero_point, Reads::code, Reads::step,
              Reads::zero_point, Reads::code, Reads::step, Reads::zero_point},
    .domain = "com.microsoft",
    .trains = false,
    .infer = infer,
    .relate = relate,
    .macs = macs,
    .evaluate = evaluate};

}  // namespace coppice
