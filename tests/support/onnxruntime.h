// ONNX Runtime as the outside judge: what we write must load there and give the same numbers, and
// benchmarks time it in the same run. It lives in a Node process (tests/onnxruntime/judge.mjs) that
// starts once and answers until this object goes; a test asks for it by
//
//   auto judge = OnnxRuntime::start();
//   if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
//
// Not for use by several threads at once.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace coppice {

inline constexpr char kNoOnnxRuntime[] = "no ONNX Runtime; './dev setup' installs it";

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

class OnnxRuntime {
 public:
  // Nothing when Node or the package is not installed.
  // Throws std::runtime_error when they are there and fail.
  // `package`: onnxruntime-node, or onnxruntime-web, which runs in wasm.
  static std::optional<OnnxRuntime> start(const std::string& package = "onnxruntime-node");
  ~OnnxRuntime();
  OnnxRuntime(OnnxRuntime&&) noexcept;
  OnnxRuntime& operator=(OnnxRuntime&&) noexcept;

  // The graph's outputs in its order. Elements: f32, f64, i64, i32, i8, u8, boolean.
  // Throws std::runtime_error with ONNX Runtime's own message.
  std::vector<NamedTensor> run(const std::filesystem::path& model,
                               const std::vector<NamedTensor>& inputs);

  // Median time of one run after warming up, as ONNX Runtime does by default but for `threads`.
  double median_ms(const std::filesystem::path& model, const std::vector<NamedTensor>& inputs,
                   int runs, int threads);

 private:
  struct Process;
  explicit OnnxRuntime(std::unique_ptr<Process> process);
  std::unique_ptr<Process> process_;
};

}  // namespace coppice
