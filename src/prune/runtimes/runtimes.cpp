// Measured on one thread of an AMD Zen 3 (AVX2) and of an AMD Zen 4 (AVX-512), November 2026, on
// chains of equal layers of 48 to 80 channels; rates are of 64 channels at 28x28.
#include "prune/runtimes/runtimes.h"

#include <algorithm>
#include <array>

namespace coppice {
namespace {

constexpr Runtime::Rates kOnnxRuntimeRates{.dense = 25,
                                           .pointwise = 30,
                                           .depthwise = 100,
                                           .grouped = 22,
                                           .lone = 200,
                                           .matrix = 26,
                                           .element = 250};

// ONNX Runtime 1.21 to 1.24.
constexpr int64_t kUnfusedOpset = 22;

constexpr Runtime onnxruntime(const char* name, const char* about, int64_t block) {
  return {.name = name,
          .about = about,
          .version = "ONNX Runtime 1.21 to 1.30",
          .block = block,
          .lane = 4,
          .rates = kOnnxRuntimeRates,
          .off_lane = 1.35,
          .off_lane_depthwise = 3.4,
          .unfused_opset = kUnfusedOpset,
          .wants_lowest_opset = false,
          .old_importer = false,
          .off_block_grouped = 1.6};
}

constexpr Runtime onednn(const char* name, const char* about, int64_t block) {
  return {.name = name,
          .about = about,
          .version = "oneDNN 2.6",
          .block = block,
          .lane = 1,
          .rates = {.dense = 24,
                    .pointwise = 24,
                    .depthwise = 56,
                    .grouped = 20,
                    .lone = 200,
                    .matrix = 26,
                    .element = 250},
          .off_lane = 1,
          .off_lane_depthwise = 1,
          .unfused_opset = 0,
          .wants_lowest_opset = false,
          .old_importer = false,
          .off_block_grouped = 2.4};
}

// What all of them load, and run fast.
constexpr Runtime any() {
  Runtime runtime = onnxruntime("any", "ONNX Runtime on a CPU with AVX-512", 16);
  runtime.wants_lowest_opset = runtime.old_importer = true;
  return runtime;
}

constexpr std::array kRuntimes = {
    onnxruntime("onnxruntime-avx2", "ONNX Runtime on a CPU with AVX2", 8),
    onnxruntime("onnxruntime-avx512", "ONNX Runtime on a CPU with AVX-512", 16),
    Runtime{.name = "onnxruntime-web",
            .about = "ONNX Runtime Web, wasm with SIMD",
            .version = "ONNX Runtime Web 1.30",
            .block = 1,
            .lane = 1,
            .rates = {.dense = 105,
                      .pointwise = 154,
                      .depthwise = 569,
                      .grouped = 110,
                      .lone = 600,
                      .matrix = 97,
                      .element = 1000},
            .off_lane = 1,
            .off_lane_depthwise = 1,
            .unfused_opset = 0,
            .wants_lowest_opset = false,
            .old_importer = false,
            .off_block_grouped = 1},
    Runtime{.name = "opencv",
            .about = "OpenCV's dnn module on a CPU",
            .version = "OpenCV 4.6 and 4.10",
            .block = 1,
            .lane = 1,
            .rates = {.dense = 33,
                      .pointwise = 39,
                      .depthwise = 164,
                      .grouped = 30,
                      .lone = 550,
                      .matrix = 63,
                      .element = 300},
            .off_lane = 1,
            .off_lane_depthwise = 1,
            .unfused_opset = 0,
            .wants_lowest_opset = true,
            .old_importer = true,
            .off_block_grouped = 1},
    onednn("coppice", "Coppice's own runtime on a CPU with AVX2", 8),
    onednn("coppice", "Coppice's own runtime on a CPU with AVX-512", 16),
    any(),
};

bool has_avx512() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") != 0;
#else
  return false;
#endif
}

constexpr std::array kNames = {
    "onnxruntime", "onnxruntime-avx2", "onnxruntime-avx512", "onnxruntime-web", "opencv", "coppice",
    "any"};
constexpr int64_t kWideBlock = 16;  // with AVX-512

}  // namespace

std::span<const Runtime> runtimes() { return kRuntimes; }

std::span<const char* const> runtime_names() { return kNames; }

const Runtime* find_runtime(const std::string& name) {
  const bool wide = has_avx512();
  const std::string wanted = name != "onnxruntime" ? name : name + (wide ? "-avx512" : "-avx2");
  const Runtime* found = nullptr;
  for (const Runtime& runtime : kRuntimes) {
    if (wanted != runtime.name) continue;
    if (!found || (wide && runtime.block == kWideBlock)) found = &runtime;
  }
  return found;
}

const Runtime& usual_runtime() { return *find_runtime("onnxruntime"); }

bool runs_here(const Runtime& runtime) {
  const std::string name = runtime.name;
  if (name.ends_with("-avx512")) return has_avx512();
  return !name.ends_with("-avx2") || !has_avx512();
}

}  // namespace coppice
