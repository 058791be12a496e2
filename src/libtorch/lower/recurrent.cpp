// LSTM, GRU and RNN with their default activations, step by step. The inputs' share of all gates is
// one product for the whole sequence; only the recurrent share is computed in the loop.
//
//   LSTM  i, o, f, g = gates(x W' + h R' + b);  c = f c + i g;        h = o tanh(c)
//   GRU   z, r = gates;  n = tanh(...);         h = (1 - z) n + z h
//   RNN   h = tanh(x W' + h R' + b)
//
// LibTorch's own layers order their gates another way, and their GRU is only the one that is linear
// before the reset.
#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

// One direction's recurrent weights [gates * H, H]; `bias` and `peepholes` may be undefined.
struct Cell {
  at::Tensor weight, bias, peepholes;
  int64_t hidden;
  bool linear_before_reset;

  // h R' + b of some gates
  at::Tensor recurrent(const at::Tensor& h, int64_t first, int64_t gates) const {
    const auto rows = [&](const at::Tensor& of) {
      return at::narrow(of, 0, first * hidden, gates * hidden);
    };
    const at::Tensor sums = at::matmul(h, rows(weight).t());
    return bias.defined() ? sums + rows(bias) : sums;
  }
  // A gate's sum and what it sees of the memory.
  at::Tensor peeping(const at::Tensor& sum, int64_t gate, const at::Tensor& memory) const {
    if (!peepholes.defined()) return sum;
    return sum + at::narrow(peepholes, 0, gate * hidden, hidden) * memory;
  }
};

struct State {
  at::Tensor h, c;  // [N, H]
};

// `x`: the inputs' share of all gates, [N, gates * H].
using Advance = void (*)(const Cell& cell, const at::Tensor& x, State& state);

void advance_lstm(const Cell& cell, const at::Tensor& x, State& state) {
  const auto sums = at::chunk(x + cell.recurrent(state.h, 0, 4), 4, 1);
  const at::Tensor in = at::sigmoid(cell.peeping(sums[0], 0, state.c));
  const at::Tensor forget = at::sigmoid(cell.peeping(sums[2], 2, state.c));
  state.c = forget * state.c + in * at::tanh(sums[3]);
  state.h = at::sigmoid(cell.peeping(sums[1], 1, state.c)) * at::tanh(state.c);
}

void advance_gru(const Cell& cell, const at::Tensor& x, State& state) {
  const auto inputs = at::chunk(x, 3, 1), past = at::chunk(cell.recurrent(state.h, 0, 2), 2, 1);
  const at::Tensor z = at::sigmoid(inputs[0] + past[0]), reset = at::sigmoid(inputs[1] + past[1]);
  const at::Tensor sum =
      inputs[2] + (cell.linear_before_reset ? reset * cell.recurrent(state.h, 2, 1)
                                            : cell.recurrent(reset * state.h, 2, 1));
  state.h = (1 - z) * at::tanh(sum) + z * state.h;
}

void advance_rnn(const Cell& cell, const at::Tensor& x, State& state) {
  state.h = at::tanh(x + cell.recurrent(state.h, 0, 1));
}

// Whether each direction walks backwards.
std::vector<bool> directions_of(const LowerContext& context) {
  const std::string direction = context.attributes().text("direction", "forward");
  std::vector<bool> backwards{direction == "reverse"};
  if (direction == "bidirectional") backwards.push_back(true);
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
    context.fail("'direction' is '" + direction +
                 "', expected 'forward', 'reverse' or 'bidirectional'");
  }
  if (context.shape(1)[0] != static_cast<int64_t>(backwards.size())) {
    context.fail("W has " + std::to_string(context.shape(1)[0]) + " directions, expected " +
                 std::to_string(backwards.size()));
  }
  return backwards;
}

void refuse_what_is_not_plain(const LowerContext& context) {
  if (context.has(4)) context.fail("it has sequence lengths of their own");
  if (context.attributes().integer("input_forget", 0) != 0) context.fail("it has 'input_forget'");
  if (context.shape(0)[0] == 0) context.fail("its sequence is empty");
}

class Recurrent {
 public:
  Recurrent(const LowerContext& context, Advance advance)
      : advance_(advance),
        time_(context.shape(0)[0]),
        hidden_(context.shape(2)[2]),
        linear_before_reset_(context.attributes().integer("linear_before_reset", 0) != 0),
        backwards_(directions_of(context)),
        inputs_(context.node().inputs),
        outputs_(context.node().outputs) {
    refuse_what_is_not_plain(context);
    inputs_.resize(8, kNoValue);
  }

  void operator()(Values& values, Mode) const {
    std::vector<at::Tensor> all, last, memory;
    for (size_t d = 0; d < backwards_.size(); ++d) {
      State state{start(values, 5, d), start(values, 6, d)};
      all.push_back(walk(values, d, state));
      last.push_back(state.h);
      memory.push_back(state.c);
    }
    const auto give = [&](size_t output, const std::vector<at::Tensor>& pieces, int64_t axis) {
      if (output >= outputs_.size() || outputs_[output] == kNoValue) return;
      values[outputs_[output]] = at::stack(pieces, axis);
    };
    give(0, all, 1);
    give(1, last, 0);
    give(2, memory, 0);
  }

 private:
  // The direction's part of an input; undefined where there is none.
  at::Tensor part(const Values& values, int input, size_t direction) const {
    if (inputs_[input] == kNoValue) return {};
    return at::select(values[inputs_[input]], 0, static_cast<int64_t>(direction));
  }

  at::Tensor start(const Values& values, int input, size_t direction) const {
    const at::Tensor given = part(values, input, direction), &x = values[inputs_[0]];
    return given.defined() ? given : at::zeros({x.size(1), hidden_}, x.options());
  }

  // The states at all times, [T, N, H]; `state` ends as the last of them.
  at::Tensor walk(const Values& values, size_t direction, State& state) const {
    const at::Tensor w = part(values, 1, direction), both = part(values, 3, direction);
    const int64_t rows = w.size(0);
    Cell cell{
        part(values, 2, direction), {}, part(values, 7, direction), hidden_, linear_before_reset_};
    at::Tensor sums = at::matmul(values[inputs_[0]], w.t());
    if (both.defined()) {
      sums = sums + at::narrow(both, 0, 0, rows);
      cell.bias = at::narrow(both, 0, rows, rows);
    }
    std::vector<at::Tensor> states(time_);
    for (int64_t i = 0; i < time_; ++i) {
      const int64_t t = backwards_[direction] ? time_ - 1 - i : i;
      advance_(cell, at::select(sums, 0, t), state);
      states[t] = state.h;
    }
    return at::stack(states, 0);
  }

  Advance advance_;
  int64_t time_, hidden_;
  bool linear_before_reset_;
  std::vector<bool> backwards_;
  std::vector<ValueId> inputs_, outputs_;
};

}  // namespace

Step lower_lstm(const LowerContext& context) { return Recurrent(context, advance_lstm); }
Step lower_gru(const LowerContext& context) { return Recurrent(context, advance_gru); }
Step lower_rnn(const LowerContext& context) { return Recurrent(context, advance_rnn); }

}  // namespace coppice::train
