#include "support/onnxruntime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/files.h"
#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

// A protobuf field that holds bytes. Requires: fewer than 128 of them.
std::string field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

// A protobuf field that holds a number below 128.
std::string field(int number, int value) {
  return {static_cast<char>(number << 3), static_cast<char>(value)};
}

// An ONNX model with one Identity node, "x" -> "y", by the field numbers of onnx.proto.
std::string identity_model(DType dtype) {
  const std::string type = field(2, field(1, field(1, static_cast<int>(dtype))));
  const std::string node = field(1, "x") + field(2, "y") + field(4, "Identity");
  const std::string graph = field(1, node) + field(2, "identity") +
                            field(11, field(1, "x") + type) + field(12, field(1, "y") + type);
  return field(1, 8) + field(7, graph) + field(8, field(2, 13));
}

class Judge : public testing::Test {
 protected:
  void SetUp() override {
    if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  }
  std::filesystem::path write_identity(DType dtype) {
    write_text(dir / "identity.onnx", identity_model(dtype));
    return dir / "identity.onnx";
  }

  std::optional<OnnxRuntime> judge = OnnxRuntime::start();
  TempDir dir;
};

TEST_F(Judge, carries_every_element_type_both_ways) {
  const Tensor inputs[] = {Tensor::of<float>({2, 1}, {0.5f, -1.0f}),
                           Tensor::of<double>({2}, {0.1, 1e300}),
                           Tensor::of<int64_t>({1, 2}, {INT64_MIN, INT64_MAX}),
                           Tensor::of<int32_t>({2}, {INT32_MIN, 7}),
                           Tensor::of<int8_t>({3}, {-128, 0, 127}),
                           Tensor::of<uint8_t>({3}, {0, 1, 255}),
                           Tensor::zeros(DType::boolean, {3})};
  for (const Tensor& input : inputs) {
    SCOPED_TRACE(name_of(input.dtype()));
    const auto outputs = judge->run(write_identity(input.dtype()), {{"x", input}});
    ASSERT_EQ(outputs.size(), 1u);
    EXPECT_EQ(outputs[0].name, "y");
    EXPECT_EQ(outputs[0].tensor, input);
  }
}

TEST_F(Judge, carries_a_scalar_and_an_empty_tensor) {
  for (const Tensor& input : {Tensor::scalar(3), Tensor::zeros(DType::f32, {0, 4})}) {
    EXPECT_EQ(judge->run(write_identity(DType::f32), {{"x", input}}).at(0).tensor, input);
  }
}

TEST_F(Judge, reports_what_onnx_runtime_says_and_goes_on) {
  write_text(dir / "broken.onnx", "not a model");
  EXPECT_THAT([&] { judge->run(dir / "broken.onnx", {}); },
              testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("broken.onnx")));
  EXPECT_THAT(
      [&] {
        judge->run(write_identity(DType::f32), {{"other", Tensor::scalar(1)}});
      },
      testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("'x'")));
  EXPECT_EQ(judge->run(write_identity(DType::f32), {{"x", Tensor::scalar(1)}}).size(), 1u);
}

TEST_F(Judge, times_a_model) {
  EXPECT_GT(judge->median_ms(write_identity(DType::f32), {{"x", Tensor::scalar(1)}}, 5, 1), 0);
}

TEST_F(Judge, runs_a_real_network) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  const auto outputs = judge->run(*data / "models/mnist/lenet_300_100.onnx",
                                  {{"input", Tensor::zeros(DType::f32, {1, 1, 28, 28})}});
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_EQ(outputs[0].tensor.shape(), (Shape{1, 10}));
  for (const float logit : outputs[0].tensor.as<float>()) EXPECT_TRUE(std::isfinite(logit));
}

}  // namespace
}  // namespace coppice
