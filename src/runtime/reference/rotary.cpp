// RotaryEmbedding: (a, b) -> (a cos - b sin, a sin + b cos) for each pair of a head.

#include "graph/ops/rotary.h"

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

// The row of the tables that a place of an image reads.
int64_t row_of(const Graph& graph, const Node& node, const Tensor* positions,
               const RotaryForm& form, int64_t n, int64_t place, int64_t rows) {
  int64_t row = n * form.places + place;  // without positions the tables are by image and place
  if (positions) {
    const std::vector<int64_t> of = to_int64s(*positions);
    row = std::ssize(of) == 1 ? of[0] + place : of[n * form.places + place];
  }
  if (row < 0 || row >= rows) {
    fail_input(where(graph, node) + ": place " + std::to_string(row) + " is beyond the " +
               std::to_string(rows) + " rows of its tables");
  }
  return row;
}

}  // namespace

std::vector<Tensor> rotary(const Graph& graph, const Node& node, Inputs inputs) {
  const RotaryInputs at = rotary_inputs(node);
  const auto x = floats(graph, node, inputs, 0), cosine = floats(graph, node, inputs, at.cosine),
             sine = floats(graph, node, inputs, at.sine);
  const Shape& table = inputs[at.cosine]->shape();
  const RotaryForm form = rotary_form(graph, node, inputs[0]->shape(), table);
  const Tensor* positions = pick(inputs, at.positions);
  const int64_t half = form.turned / 2, rows = half == 0 ? 0 : std::ssize(cosine) / half;
  Tensor result = *inputs[0];
  const auto y = result.mutate<float>();
  for (int64_t n = 0; n < form.batch && half > 0; ++n) {
    for (int64_t place = 0; place < form.places; ++place) {
      const int64_t row = row_of(graph, node, positions, form, n, place, rows);
      for (int64_t h = 0; h < form.heads; ++h) {
        const int64_t first = form.merged
                                  ? ((n * form.places + place) * form.heads + h) * form.width
                                  : ((n * form.heads + h) * form.places + place) * form.width;
        for (int64_t i = 0; i < half; ++i) {
          const auto [a, b] = form.pair(i);
          const double c = cosine[row * half + i], s = sine[row * half + i];
          y[first + a] = static_cast<float>(x[first + a] * c - x[first + b] * s);
          y[first + b] = static_cast<float>(x[first + a] * s + x[first + b] * c);
        }
      }
    }
  }
  return {std::move(result)};
}

}  // namespace coppice::reference
