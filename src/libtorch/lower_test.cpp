// What lowerings do beyond computing: statistics of the batch, dropout, overwriting, and refusing.
#include "libtorch/program.h"
#include "support/expect_lowered.h"

namespace coppice::train {
namespace {

constexpr char kNormalised[] = R"(
  input x float32 [N, 2, 2, 1]
  const w float32 [2] = 2 1
  const wb float32 [2] = 0 1
  const mean float32 [2] = 1 3
  const variance float32 [2] = 4 0.25
  y = BatchNormalization(x, w, wb, mean, variance) {epsilon=0.0, momentum=0.75}
  output y)";

TEST(LowerBatchNorm, training_uses_the_batch_and_moves_the_running_statistics) {
  const LoweredGraph net(kNormalised);
  Values leaves = net.leaves(at::kFloat);
  const std::vector<float> pixels{1, 2, 10, 10, 3, 6, 20, 20};
  leaves[net.id("x")] = to_torch(Tensor::of<float>({2, 2, 2, 1}, pixels));
  const Values values = net.run(leaves, Mode::training);
  // Channel 0 holds 1 2 3 6: mean 3, squares 4 + 1 + 0 + 9 = 14, variance 14/4, unbiased 14/3.
  // Channel 1 holds 10 10 20 20: mean 15, variance 25, unbiased 100/3.
  const double deviation = std::sqrt(3.5);
  const at::Tensor y = values[net.id("y")].reshape({-1});
  const double expected[] = {
      2 * -2 / deviation, 2 * -1 / deviation, 0, 0, 0, 2 * 3 / deviation, 2, 2};
  for (int i = 0; i < 8; ++i) EXPECT_NEAR(y[i].item<double>(), expected[i], 1e-5) << i;
  const at::Tensor mean = leaves[net.id("mean")], variance = leaves[net.id("variance")];
  EXPECT_NEAR(mean[0].item<double>(), 0.75 * 1 + 0.25 * 3, 1e-5);
  EXPECT_NEAR(mean[1].item<double>(), 0.75 * 3 + 0.25 * 15, 1e-5);
  EXPECT_NEAR(variance[0].item<double>(), 0.75 * 4 + 0.25 * 14 / 3, 1e-5);
  EXPECT_NEAR(variance[1].item<double>(), 0.75 * 0.25 + 0.25 * 100 / 3, 1e-4);
}

TEST(LowerBatchNorm, evaluation_leaves_the_running_statistics) {
  const LoweredGraph net(kNormalised);
  const Values leaves = net.leaves(at::kFloat);
  net.run(leaves, Mode::evaluation);
  EXPECT_EQ(from_torch(leaves[net.id("mean")]), *net.graph.value(net.id("mean")).constant);
  EXPECT_EQ(from_torch(leaves[net.id("variance")]), *net.graph.value(net.id("variance")).constant);
}

TEST(LowerBatchNorm, training_gradients_go_through_the_statistics) {
  expect_gradients(LoweredGraph(kNormalised, 3), Mode::training);
  expect_gradients(LoweredGraph(R"(
    input x float32 [5, 3]
    const w float32 [3] random
    const wb float32 [3] random
    const mean float32 [3] random
    const variance float32 [3] positive
    y = BatchNormalization(x, w, wb, mean, variance)
    output y)"),
                   Mode::training);
}

TEST(LowerBatchNorm, one_value_a_channel_can_be_evaluated_but_not_trained) {
  const std::string net = R"(
    input x float32 [N, 2, 1, 1]
    const w float32 [2] random
    const variance float32 [2] positive
    y = BatchNormalization(x, w, w, w, variance)
    output y)";
  EXPECT_EQ(refusal_of(net, Mode::evaluation, 1), "it ran");
  EXPECT_EQ(refusal_of(net, Mode::training, 2), "it ran");
  EXPECT_EQ(refusal_of(net, Mode::training, 1),
            "node 'y' (BatchNormalization): batch and image give 1 value a channel, its "
            "statistics need 2 or more; train with a larger batch");
}

TEST(LowerDropout, drops_its_ratio_in_training_and_scales_the_rest) {
  for (const char* net : {"input x float32 [100, 100]\nconst ratio float32 [] = 0.25\n"
                          "y = Dropout(x, ratio)\noutput y",
                          "opset 10\ninput x float32 [100, 100]\n"
                          "y = Dropout(x) {ratio=0.25}\noutput y"}) {
    at::manual_seed(1);
    const LoweredGraph lowered(net);
    const Values values = lowered.run(lowered.leaves(at::kFloat), Mode::training);
    const at::Tensor x = values[lowered.id("x")], y = values[lowered.id("y")];
    const at::Tensor kept = y != 0;
    EXPECT_NEAR(kept.to(at::kFloat).mean().item<double>(), 0.75, 0.02);
    EXPECT_LT(difference(at::where(kept, x / 0.75, at::zeros_like(x)), y), kForwardTolerance);
  }
}

TEST(LowerDropout, its_default_ratio_is_a_half) {
  at::manual_seed(1);
  const LoweredGraph lowered("input x float32 [100, 100]\ny = Dropout(x)\noutput y");
  const Values values = lowered.run(lowered.leaves(at::kFloat), Mode::training);
  EXPECT_NEAR((values[lowered.id("y")] != 0).to(at::kFloat).mean().item<double>(), 0.5, 0.02);
}

constexpr char kResidual[] = R"(
  input x float32 [2, 3, 4, 4]
  const w float32 [3, 3, 1, 1] random
  const w2 float32 [3, 3, 1, 1] random
  const low float32 [] = 0
  const six float32 [] = 6
  a = Conv(x, w)
  b = Clip(a, low, six)
  c = Conv(b, w2)
  d = Add(c, b)
  y = Relu(d)
  output y)";

TEST(LowerOverwriting, reuses_memory_where_it_may) {
  LoweredGraph net(kResidual);
  net.overwrite_after({"Conv", "Add"});
  const Values values = net.run(net.leaves(at::kFloat), Mode::training);
  EXPECT_EQ(values[net.id("b")].data_ptr(), values[net.id("a")].data_ptr());
  EXPECT_EQ(values[net.id("d")].data_ptr(), values[net.id("c")].data_ptr());
  EXPECT_EQ(values[net.id("y")].data_ptr(), values[net.id("d")].data_ptr());
  expect_forward(net);
  expect_gradients(net, Mode::training);
}

TEST(LowerOverwriting, keeps_everything_where_it_may_not) {
  const LoweredGraph net(kResidual);
  const Values values = net.run(net.leaves(at::kFloat), Mode::training);
  EXPECT_NE(values[net.id("b")].data_ptr(), values[net.id("a")].data_ptr());
  EXPECT_NE(values[net.id("d")].data_ptr(), values[net.id("c")].data_ptr());
  EXPECT_NE(values[net.id("y")].data_ptr(), values[net.id("d")].data_ptr());
}

// What inference computed belongs to the program: a second run must find it as the first did.
TEST(LowerOverwriting, leaves_what_inference_knows) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [2, 3]
    const shape int64 [2] = 2 3
    const ones float32 [2, 3] = 1 1 1 1 1 1
    zeros = ConstantOfShape(shape)
    still_ones = Add(zeros, ones)
    y = Add(still_ones, x)
    output y)");
  const Program program(graph, {}, graph.outputs);
  const at::Tensor x = at::full({2, 3}, 5.f);
  for (int run = 0; run < 2; ++run) {
    const auto outputs = program.run(Values(graph.values.size()), {x}, Mode::training);
    EXPECT_TRUE(outputs[0].equal(at::full({2, 3}, 6.f))) << outputs[0];
  }
}

TEST(LowerOverwriting, never_writes_through_a_view) {
  for (const char* view : {"Identity(a)", "Dropout(a)", "Transpose(a)", "Flatten(a)", "Sum(a)",
                           "Slice(a, first, last)"}) {
    LoweredGraph net(std::string(R"(
      input x float32 [4, 4]
      const first int64 [1] = 0
      const last int64 [1] = 9
      a = Neg(x)
      v = )") + view +
                     R"(
      y = Relu(v)
      z = Add(a, a)
      output y
      output z)");
    SCOPED_TRACE(view);
    net.overwrite_after({"Identity", "Dropout", "Transpose", "Flatten", "Sum", "Slice"});
    expect_forward(net);
    expect_gradients(net);
  }
}

TEST(LowerLayout, images_stay_channels_last) {
  const LoweredGraph net(R"(
    input x float32 [2, 4, 6, 6]
    const w float32 [4, 4, 3, 3] random
    const v float32 [4] positive
    const pads int64 [8] = 0 2 0 0 0 2 0 0
    a = Conv(x, w) {pads=[0, 0, 2, 2]}
    b = BatchNormalization(a, v, v, v, v)
    c = Relu(b)
    d = Add(c, x)
    e = MaxPool(d) {kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]}
    f = AveragePool(e) {kernel_shape=[2, 2]}
    y = Pad(f, pads)
    z = Concat(y, f) {axis=1}
    output z)");
  const Values values = net.run(net.leaves(at::kFloat, Layout::channels_last), Mode::training);
  for (const char* name : {"a", "b", "c", "d", "e", "f", "y", "z"}) {
    EXPECT_TRUE(values[net.id(name)].is_contiguous(at::MemoryFormat::ChannelsLast)) << name;
  }
}

TEST(Lower, every_operator_that_says_it_can_be_trained_can) {
  for (const OpDef* op : operators()) {
    Node node;
    node.op_type = op->type;
    node.domain = op->domain;
    EXPECT_EQ(find_lower(node) != nullptr, op->trains) << op->type;
  }
}

TEST(Lower, names_what_it_cannot_train) {
  EXPECT_EQ(refusal_of("input x float32 [2]\ny = Mystery(x)\noutput y"),
            "node 'y' (Mystery): can't be trained: no gradient rule; keep it out of what is "
            "trained, or prune without --epochs");
  Node foreign;
  foreign.op_type = "Relu";
  foreign.domain = "com.microsoft";
  EXPECT_FALSE(find_lower(foreign));
}

TEST(Lower, refuses_what_it_would_compute_wrongly) {
  const std::string image =
      "input x float32 [2, 3, 4, 4]\nconst v float32 [3] positive\n"
      "const yes float32 [] = 1\nconst pads int64 [8] zeros\n"
      "input n float32 []\n";
  const auto refusal = [&](const std::string& statement) {
    return refusal_of(image + statement + "\noutput y");
  };
  EXPECT_EQ(refusal("y = Relu(x) {slope=2.0}"),
            "node 'y' (Relu): attribute 'slope' can't be honoured; export the model without it");
  EXPECT_EQ(refusal("y = BatchNormalization(x, v, v, v, v) {training_mode=1}"),
            "node 'y' (BatchNormalization): can't be trained: it is in training mode; export the "
            "model for inference");
  EXPECT_EQ(refusal("y = BatchNormalization(x, v, v, v, v) {spatial=0}"),
            "node 'y' (BatchNormalization): can't be trained: 'spatial' is 0, only statistics by "
            "channel can be trained");
  EXPECT_EQ(refusal("y, where = MaxPool(x) {kernel_shape=[2, 2]}"),
            "node 'y' (MaxPool): can't be trained: output 1 isn't computed; export the model "
            "without it");
  EXPECT_EQ(refusal("y = Clip(x, n)"),
            "node 'y' (Clip): can't be trained: input 'n' decides how it computes and is known "
            "only at run time; make it a constant");
  EXPECT_EQ(refusal("y = Clip(x, v)"),
            "node 'y' (Clip): can't be trained: bound 'min' has 3 elements, expected one number");
  EXPECT_EQ(refusal("y = Cast(x) {to=8}"),
            "node 'y' (Cast): can't be trained: can't cast to string");
}

}  // namespace
}  // namespace coppice::train
