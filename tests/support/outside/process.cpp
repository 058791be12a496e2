// See process.h.
#include "support/outside/process.h"

#include <stdexcept>
#include <utility>

#include "core/files.h"

namespace coppice {
namespace {

using nlohmann::json;

constexpr DType kDTypes[] = {DType::f32, DType::f64, DType::i64,    DType::i32,
                             DType::i8,  DType::u8,  DType::boolean};

DType dtype_named(const std::string& name) {
  for (const DType dtype : kDTypes) {
    if (name_of(dtype) == name) return dtype;
  }
  throw std::runtime_error("an output is of an element type we don't know: " + name);
}

NamedTensor read_output(const json& output) {
  const Buffer buffer = read_file(output.at("file").get<std::string>());
  return {output.at("name"), Tensor::view(dtype_named(output.at("dtype")), output.at("shape"),
                                          buffer.data, buffer.bytes())};
}

}  // namespace

std::optional<OutsideProcess> OutsideProcess::start(const std::string& name,
                                                    std::vector<std::string> arguments) {
  auto process = ChildProcess::start(std::move(arguments));
  if (!process) return std::nullopt;
  OutsideProcess started(name, std::move(*process));
  if (started.receive().contains("missing")) return std::nullopt;
  return started;
}

json OutsideProcess::receive() {
  const auto line = process_.receive_line();
  if (!line) throw std::runtime_error("the " + name_ + " process ended unexpectedly");
  json answer = json::parse(*line);
  if (answer.contains("error")) {
    throw std::runtime_error(name_ + ": " + answer.at("error").get<std::string>());
  }
  return answer;
}

json OutsideProcess::ask(const json& request) {
  process_.send_line(request.dump());
  return receive();
}

std::vector<NamedTensor> OutsideProcess::run(const std::filesystem::path& model,
                                             const std::vector<NamedTensor>& inputs) {
  const TempDir dir;
  const json answer = ask({{"model", model.string()},
                           {"inputs", written(inputs, dir)},
                           {"outputs_dir", dir.path().string()}});
  std::vector<NamedTensor> outputs;
  for (const json& output : answer.at("outputs")) outputs.push_back(read_output(output));
  return outputs;
}

json OutsideProcess::written(const std::vector<NamedTensor>& inputs, const TempDir& dir) {
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

}  // namespace coppice
