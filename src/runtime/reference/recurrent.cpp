// LSTM, GRU and RNN with their default activations, step by step.
//
//   LSTM  i, o, f, g = gates(x W' + h R' + b);  c = f c + i g;        h = o tanh(c)
//   GRU   z, r = gates;  n = tanh(...);         h = (1 - z) n + z h
//   RNN   h = tanh(x W' + h R' + b)

#include <cmath>

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// One direction's weights, and what one image of the batch carries from step to step.
class Cell {
 public:
  Cell(const Graph& graph, const Node& node, Inputs inputs, int64_t gates, int64_t direction)
      : hidden_(inputs[2]->shape()[2]),
        features_(inputs[0]->shape()[2]),
        rows_(gates * hidden_),
        w_(floats(graph, node, inputs, 1).data() + direction * rows_ * features_),
        r_(floats(graph, node, inputs, 2).data() + direction * rows_ * hidden_) {
    if (pick(inputs, 3)) b_ = floats(graph, node, inputs, 3).data() + direction * 2 * rows_;
    if (pick(inputs, 7)) p_ = floats(graph, node, inputs, 7).data() + direction * 3 * hidden_;
  }

  int64_t hidden() const { return hidden_; }
  double input(int64_t row, const float* x) const {
    double sum = b_ ? b_[row] : 0;
    for (int64_t i = 0; i < features_; ++i)
      sum += static_cast<double>(w_[row * features_ + i]) * x[i];
    return sum;
  }
  double recurrent(int64_t row, const std::vector<double>& h) const {
    double sum = b_ ? b_[rows_ + row] : 0;
    for (int64_t i = 0; i < hidden_; ++i) sum += r_[row * hidden_ + i] * h[i];
    return sum;
  }
  double peephole(int64_t gate, int64_t unit) const { return p_ ? p_[gate * hidden_ + unit] : 0; }

 private:
  int64_t hidden_, features_, rows_;
  const float *w_, *r_, *b_ = nullptr, *p_ = nullptr;
};

struct State {
  std::vector<double> h, c;
};

void step_lstm(const Cell& cell, const Node&, const float* x, State& state) {
  const int64_t size = cell.hidden();
  const std::vector<double> h = state.h;
  for (int64_t u = 0; u < size; ++u) {
    const auto sum = [&](int64_t gate) {
      return cell.input(gate * size + u, x) + cell.recurrent(gate * size + u, h);
    };
    const double before = state.c[u];
    const double in = sigmoid(sum(0) + cell.peephole(0, u) * before);
    const double forget = sigmoid(sum(2) + cell.peephole(2, u) * before);
    state.c[u] = forget * before + in * std::tanh(sum(3));
    state.h[u] = sigmoid(sum(1) + cell.peephole(1, u) * state.c[u]) * std::tanh(state.c[u]);
  }
}

void step_gru(const Cell& cell, const Node& node, const float* x, State& state) {
  const int64_t size = cell.hidden();
  const bool after = node.attributes.integer("linear_before_reset", 0) != 0;
  const std::vector<double> h = state.h;
  std::vector<double> reset(size), kept(size);
  for (int64_t u = 0; u < size; ++u) {
    reset[u] = sigmoid(cell.input(size + u, x) + cell.recurrent(size + u, h));
    kept[u] = reset[u] * h[u];
  }
  for (int64_t u = 0; u < size; ++u) {
    const double z = sigmoid(cell.input(u, x) + cell.recurrent(u, h));
    const double past =
        after ? reset[u] * cell.recurrent(2 * size + u, h) : cell.recurrent(2 * size + u, kept);
    state.h[u] = (1 - z) * std::tanh(cell.input(2 * size + u, x) + past) + z * h[u];
  }
}

void step_rnn(const Cell& cell, const Node&, const float* x, State& state) {
  const std::vector<double> h = state.h;
  for (int64_t u = 0; u < cell.hidden(); ++u) {
    state.h[u] = std::tanh(cell.input(u, x) + cell.recurrent(u, h));
  }
}

using Step = void (*)(const Cell&, const Node&, const float*, State&);

void refuse_what_is_not_plain(const Graph& graph, const Node& node, Inputs inputs) {
  if (pick(inputs, 4)) {
    fail_input(where(graph, node) + ": sequence lengths of their own can't be run");
  }
  if (node.attributes.integer("input_forget", 0) != 0) {
    fail_input(where(graph, node) + ": 'input_forget' can't be run");
  }
}

std::vector<double> initial(const Graph& graph, const Node& node, Inputs inputs, size_t input,
                            int64_t offset, int64_t hidden) {
  if (!pick(inputs, input)) return std::vector<double>(hidden, 0);
  const auto values = floats(graph, node, inputs, input).subspan(offset, hidden);
  return {values.begin(), values.end()};
}

std::vector<Tensor> run(const Graph& graph, const Node& node, Inputs inputs, int64_t gates,
                        Step step) {
  refuse_what_is_not_plain(graph, node, inputs);
  const auto x = floats(graph, node, inputs, 0);
  const int64_t time = inputs[0]->shape()[0], batch = inputs[0]->shape()[1],
                features = inputs[0]->shape()[2], directions = inputs[1]->shape()[0],
                hidden = inputs[2]->shape()[2];
  const std::string direction = node.attributes.text("direction", "forward");
  Tensor y = Tensor::zeros(DType::f32, {time, directions, batch, hidden});
  Tensor last = Tensor::zeros(DType::f32, {directions, batch, hidden}), memory = last;
  for (int64_t d = 0; d < directions; ++d) {
    const Cell cell(graph, node, inputs, gates, d);
    const bool backwards = direction == "reverse" || d == 1;
    for (int64_t n = 0; n < batch; ++n) {
      const int64_t place = (d * batch + n) * hidden;
      State state{initial(graph, node, inputs, 5, place, hidden),
                  initial(graph, node, inputs, 6, place, hidden)};
      for (int64_t i = 0; i < time; ++i) {
        const int64_t t = backwards ? time - 1 - i : i;
        step(cell, node, x.data() + (t * batch + n) * features, state);
        std::ranges::transform(
            state.h, y.mutate<float>().begin() + ((t * directions + d) * batch + n) * hidden,
            [](double h) { return static_cast<float>(h); });
      }
      for (int64_t u = 0; u < hidden; ++u) {
        last.mutate<float>()[place + u] = static_cast<float>(state.h[u]);
        memory.mutate<float>()[place + u] = static_cast<float>(state.c[u]);
      }
    }
  }
  return {std::move(y), std::move(last), std::move(memory)};
}

}  // namespace

std::vector<Tensor> lstm(const Graph& graph, const Node& node, Inputs inputs) {
  return run(graph, node, inputs, 4, step_lstm);
}
std::vector<Tensor> gru(const Graph& graph, const Node& node, Inputs inputs) {
  return run(graph, node, inputs, 3, step_gru);
}
std::vector<Tensor> rnn(const Graph& graph, const Node& node, Inputs inputs) {
  return run(graph, node, inputs, 1, step_rnn);
}

}  // namespace coppice::reference
