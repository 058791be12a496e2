// Lowerings of LSTM, GRU and RNN.
#include "support/expect_lowered.h"

namespace coppice::train {
namespace {

struct Kind {
  const char* type;
  int gates;
};
constexpr Kind kLstm{"LSTM", 4}, kGru{"GRU", 3}, kRnn{"RNN", 1};

std::string sizes(std::initializer_list<int> sizes) {
  std::string text;
  for (const int size : sizes) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "float32 [" + text + "] random\n";
}

// Four steps, two sequences, features of 3 and states of 2.
std::string net(Kind kind, int directions, const std::string& call) {
  const int rows = 2 * kind.gates;
  return "opset 14\ninput x float32 [4, 2, 3]\nconst w " + sizes({directions, rows, 3}) +
         "const wr " + sizes({directions, rows, 2}) + "const wb " + sizes({directions, 2 * rows}) +
         "const wh " + sizes({directions, 2, 2}) + "const wc " + sizes({directions, 2, 2}) +
         "const wp " + sizes({directions, 6}) + call;
}

TEST(LowerRecurrent, walks_in_every_direction) {
  for (const Kind kind : {kLstm, kGru, kRnn}) {
    for (const char* direction : {"forward", "reverse", "bidirectional"}) {
      const int directions = std::string(direction) == "bidirectional" ? 2 : 1;
      for (const char* inputs : {"x, w, wr", "x, w, wr, wb", "x, w, wr, wb, -, wh"}) {
        expect_lowered(net(kind, directions,
                           std::string("y, h = ") + kind.type + "(" + inputs +
                               ") {hidden_size=2, direction=\"" + direction +
                               "\"}\noutput y\noutput h"));
      }
    }
  }
}

TEST(LowerRecurrent, an_lstm_has_a_memory_and_peepholes) {
  for (const char* inputs : {"x, w, wr, wb, -, wh, wc", "x, w, wr, -, -, -, wc",
                             "x, w, wr, wb, -, wh, wc, wp", "x, w, wr, -, -, -, -, wp"}) {
    for (const int directions : {1, 2}) {
      expect_lowered(net(kLstm, directions,
                         std::string("y, h, c = LSTM(") + inputs + ") {direction=\"" +
                             (directions == 1 ? "reverse" : "bidirectional") +
                             "\", input_forget=0}\noutput y\noutput h\noutput c"));
    }
  }
}

TEST(LowerRecurrent, a_gru_resets_before_or_after_its_product) {
  for (const char* inputs : {"x, w, wr", "x, w, wr, wb", "x, w, wr, wb, -, wh"}) {
    for (const char* before : {"0", "1"}) {
      expect_lowered(net(kGru, 2,
                         std::string("y, h = GRU(") + inputs +
                             ") {direction=\"bidirectional\", linear_before_reset=" + before +
                             "}\noutput y\noutput h"));
    }
  }
}

TEST(LowerRecurrent, gives_only_what_is_asked_for) {
  expect_lowered(net(kLstm, 1, "-, h = LSTM(x, w, wr, wb)\noutput h"));
  expect_lowered(net(kLstm, 1, "-, -, c = LSTM(x, w, wr, wb)\noutput c"));
  expect_lowered(net(kRnn, 1, "y = RNN(x, w, wr, wb)\noutput y"));
}

TEST(LowerRecurrent, layers_stand_on_each_other) {
  expect_lowered(R"(
    input x float32 [3, 2, 3]
    const w float32 [1, 8, 3] random
    const wr float32 [1, 8, 2] random
    const w2 float32 [1, 6, 2] random
    const wr2 float32 [1, 6, 2] random
    const directions int64 [1] = 1
    y = LSTM(x, w, wr) {hidden_size=2}
    z = Squeeze(y, directions)
    a, h = GRU(z, w2, wr2) {hidden_size=2}
    output h)");
}

TEST(LowerRecurrent, refuses_what_is_not_plain) {
  const auto refusal = [](const std::string& call) {
    return refusal_of(
        net(kLstm, 1, "const lengths int32 [2] = 4 3\ny = LSTM" + call + "\noutput y"));
  };
  EXPECT_EQ(refusal("(x, w, wr, wb, lengths)"),
            "node 'y' (LSTM): can't be trained: it has sequence lengths of their own");
  EXPECT_EQ(refusal("(x, w, wr) {input_forget=1}"),
            "node 'y' (LSTM): can't be trained: it has 'input_forget'");
  EXPECT_EQ(refusal("(x, w, wr) {direction=\"sideways\"}"),
            "node 'y' (LSTM): can't be trained: 'direction' is 'sideways', expected 'forward', "
            "'reverse' or 'bidirectional'");
  EXPECT_EQ(refusal("(x, w, wr) {direction=\"bidirectional\"}"),
            "node 'y' (LSTM): can't be trained: W has 1 directions, expected 2");
  EXPECT_EQ(refusal("(x, w, wr) {activations=[\"Relu\", \"Tanh\", \"Tanh\"]}"),
            "node 'y' (LSTM): attribute 'activations' can't be honoured; export the model without "
            "it");
}

}  // namespace
}  // namespace coppice::train
