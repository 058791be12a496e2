// The same net in every opset from 7 to 22: what was an attribute becomes an input on the way. Cut
// = mask by our executor, and ONNX Runtime loads both and agrees.

#include <gtest/gtest.h>

#include "support/graphs/judged_cut.h"

namespace coppice {
namespace {

// A setting as the opset has it: an attribute before `since`, an input from then on.
struct Setting {
  std::string input, attribute;
};
Setting setting(int64_t opset, int64_t since, const std::string& constant,
                const std::string& attribute) {
  return opset < since ? Setting{"", attribute} : Setting{", " + constant, ""};
}

std::string joined(const std::vector<std::string>& attributes) {
  std::string text;
  for (const std::string& attribute : attributes) {
    if (!attribute.empty()) text += (text.empty() ? "" : ", ") + attribute;
  }
  return text.empty() ? "" : " {" + text + "}";
}

std::string net(int64_t opset) {
  const Setting pads = setting(opset, 11, "pads", "pads=[0, 1, 0, 0, 0, 2, 0, 0]");
  const Setting clip = setting(opset, 11, "zero, six", "min=0.0, max=6.0");
  const Setting split = setting(opset, 13, "pieces", "split=[3, 6]");
  const Setting slice = setting(opset, 10, "from, to, channels", "starts=[1], ends=[5], axes=[1]");
  const Setting mean = setting(opset, 18, "spatial", "axes=[2, 3]");
  const Setting up = setting(opset, 13, "spatial", "axes=[2, 3]");
  const Setting scales = setting(opset, 9, "scales", "scales=[1.0, 1.0, 2.0, 2.0]");
  std::string text = "opset " + std::to_string(opset) + R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [6, 3, 3, 3] random
      const s float32 [6] positive
      const t float32 [6] random
      const m float32 [6] random
      const v float32 [6] positive
      const w2 float32 [2, 3, 1, 1] random
      const w3 float32 [5, 4, 1, 1] random
      const w4 float32 [2, 5] random
      const b4 float32 [2] random
      const pads int64 [8] = 0 1 0 0 0 2 0 0
      const zero float32 [] zeros
      const six float32 [] = 6
      const pieces int64 [2] = 3 6
      const from int64 [1] = 1
      const to int64 [1] = 5
      const channels int64 [1] = 1
      const spatial int64 [2] = 2 3
      const scales float32 [4] = 1 1 2 2
      c = Conv(x, w1) {pads=[1, 1, 1, 1]}
      n = BatchNormalization(c, s, t, m, v)
      k = Clip(n)";
  text += clip.input + ")" + joined({clip.attribute}) + "\n p = Pad(k" + pads.input + ")" +
          joined({pads.attribute}) + "\n a, d = Split(p" + split.input + ")" +
          joined({"axis=1", split.attribute}) + "\n y = Conv(a, w2)\n e = Slice(d" + slice.input +
          ")" + joined({slice.attribute}) + "\n";
  if (opset < 10) {
    text += " r = Upsample(e" + scales.input + ")" + joined({"mode=\"nearest\"", scales.attribute});
  } else if (opset < 11) {
    text += " r = Resize(e, scales) {mode=\"nearest\"}";
  } else {
    text += " const none float32 [0] zeros\n r = Resize(e, none, scales) {mode=\"nearest\"}";
  }
  return text + "\n f = Conv(r, w3)\n g = ReduceMean(f" + mean.input + ")" +
         joined({mean.attribute, "keepdims=0"}) + "\n h = Unsqueeze(g" + up.input + ")" +
         joined({up.attribute}) + "\n i = Squeeze(h" + up.input + ")" + joined({up.attribute}) +
         "\n z = Gemm(i, w4, b4) {transB=1}\n output y z\n";
}

TEST(Opsets, cutting_equals_masking_in_each) {
  for (int64_t opset = 7; opset <= 22; ++opset) {
    SCOPED_TRACE("opset " + std::to_string(opset));
    expect_cut_equals_mask(parse_text_graph(net(opset)));
    if (HasFailure()) return;
  }
}

TEST(Opsets, onnx_runtime_loads_each_and_agrees) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  for (int64_t opset = 7; opset <= 22; ++opset) {
    SCOPED_TRACE("opset " + std::to_string(opset));
    const Graph graph = parse_text_graph(net(opset));
    const Groups groups = find_groups(graph);
    Random random(5);
    const Removal removal = random_removal(groups, 0.5, random);
    JudgedCut(*judge, graph, groups, removal)
        .expect_agreement({{"x", random_inputs(graph, 3, random)[0]}});
  }
}

}  // namespace
}  // namespace coppice
