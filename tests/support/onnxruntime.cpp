// See onnxruntime.h.
#include "support/onnxruntime.h"

#include <utility>

#include "support/outside/process.h"
#include "support/temp_dir.h"

namespace coppice {

struct OnnxRuntime::Process {
  OutsideProcess node;
};

OnnxRuntime::OnnxRuntime(std::unique_ptr<Process> process) : process_(std::move(process)) {}
OnnxRuntime::~OnnxRuntime() = default;
OnnxRuntime::OnnxRuntime(OnnxRuntime&&) noexcept = default;
OnnxRuntime& OnnxRuntime::operator=(OnnxRuntime&&) noexcept = default;

std::optional<OnnxRuntime> OnnxRuntime::start(const std::string& package) {
  auto node = OutsideProcess::start(
      "ONNX Runtime", {"node", COPPICE_SOURCE_DIR "/tests/onnxruntime/judge.mjs", package});
  if (!node) return std::nullopt;
  return OnnxRuntime(std::make_unique<Process>(Process{std::move(*node)}));
}

std::vector<NamedTensor> OnnxRuntime::run(const std::filesystem::path& model,
                                          const std::vector<NamedTensor>& inputs) {
  return process_->node.run(model, inputs);
}

double OnnxRuntime::median_ms(const std::filesystem::path& model,
                              const std::vector<NamedTensor>& inputs, int runs, int threads) {
  const TempDir dir;
  return process_->node
      .ask({{"benchmark",
             {{"model", model.string()},
              {"inputs", OutsideProcess::written(inputs, dir)},
              {"runs", runs},
              {"threads", threads}}}})
      .at("median_ms");
}

}  // namespace coppice
