// See onnxruntime.h.
#include "support/onnxruntime.h"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "core/files.h"
#include "core/process/child_process.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using nlohmann::json;

constexpr DType kDTypes[] = {DType::f32, DType::f64, DType::i64,    DType::i32,
                             DType::i8,  DType::u8,  DType::boolean};

DType dtype_named(const std::string& name) {
  for (const DType dtype : kDTypes) {
    if (name_of(dtype) == name) return dtype;
  }
  throw std::runtime_error("ONNX Runtime gave an element type we don't know: " + name);
}

json write_inputs(const std::vector<NamedTensor>& inputs, const TempDir& dir) {
  json written = json::array();
  for (const auto& [name, tensor] : inputs) {
    const auto path = dir / ("input" + std::to_string(written.size()) + ".bin");
    AtomicFile file(path);
    file.write(tensor.bytes());
    file.commit();
    written.push_back({{"name", name},
                       {"dtype", name_of(tensor.dtype())},
                       {"shape", tensor.shape()},
                       {"file", path.string()}});
  }
  return written;
}

NamedTensor read_output(const json& output) {
  const Buffer buffer = read_file(output.at("file").get<std::string>());
  return {output.at("name"), Tensor::view(dtype_named(output.at("dtype")), output.at("shape"),
                                          buffer.data, buffer.bytes())};
}

}  // namespace

struct OnnxRuntime::Process {
  ChildProcess node;

  json receive() {
    const auto line = node.receive_line();
    if (!line) throw std::runtime_error("the ONNX Runtime process ended unexpectedly");
    json answer = json::parse(*line);
    if (answer.contains("error")) {
      throw std::runtime_error("ONNX Runtime: " + answer.at("error").get<std::string>());
    }
    return answer;
  }

  json ask(const json& request) {
    node.send_line(request.dump());
    return receive();
  }
};

OnnxRuntime::OnnxRuntime(std::unique_ptr<Process> process) : process_(std::move(process)) {}
OnnxRuntime::~OnnxRuntime() = default;
OnnxRuntime::OnnxRuntime(OnnxRuntime&&) noexcept = default;
OnnxRuntime& OnnxRuntime::operator=(OnnxRuntime&&) noexcept = default;

std::optional<OnnxRuntime> OnnxRuntime::start(const std::string& package) {
  auto node =
      ChildProcess::start({"node", COPPICE_SOURCE_DIR "/tests/onnxruntime/judge.mjs", package});
  if (!node) return std::nullopt;
  auto process = std::make_unique<Process>(Process{std::move(*node)});
  if (process->receive().contains("missing")) return std::nullopt;
  return OnnxRuntime(std::move(process));
}

std::vector<NamedTensor> OnnxRuntime::run(const std::filesystem::path& model,
                                          const std::vector<NamedTensor>& inputs) {
  const TempDir dir;
  const json answer = process_->ask({{"model", model.string()},
                                     {"inputs", write_inputs(inputs, dir)},
                                     {"outputs_dir", dir.path().string()}});
  std::vector<NamedTensor> outputs;
  for (const json& output : answer.at("outputs")) outputs.push_back(read_output(output));
  return outputs;
}

double OnnxRuntime::median_ms(const std::filesystem::path& model,
                              const std::vector<NamedTensor>& inputs, int runs, int threads) {
  const TempDir dir;
  return process_
      ->ask({{"benchmark",
              {{"model", model.string()},
               {"inputs", write_inputs(inputs, dir)},
               {"runs", runs},
               {"threads", threads}}}})
      .at("median_ms");
}

}  // namespace coppice
