// See load.h.
#include "model/load.h"

#include <filesystem>

#include "codec/container/codec.h"
#include "core/error.h"
#include "core/files.h"
#include "graph/infer.h"
#include "model/other_formats.h"
#include "onnx/data_files.h"
#include "onnx/onnx.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

constexpr std::string_view kZoo = "zoo:";

Graph build(const std::string& name, uint64_t seed) {
  return build_zoo_model(name.substr(kZoo.size()), seed);
}

// An ONNX file, perhaps with tensors in files beside it, or one in a container.
Graph read(const std::string& path) {
  const Buffer file = read_file(path);
  return within("'" + path + "'", [&] {
    try {
      return is_container(file.bytes()) ? parse_onnx(decode(file))
                                        : parse_onnx(file, data_folder(path));
    } catch (const Error&) {
      if (const auto other = other_format(file.bytes()))
        fail_input("not an ONNX model but " + *other);
      throw;
    }
  });
}

std::string sha256_of_zoo_model(const std::string& name, uint64_t seed) {
  Sha256 hash;
  serialise_onnx(build(name, seed), [&](std::span<const std::byte> piece) { hash.update(piece); });
  return hash.hex();
}

}  // namespace

bool is_zoo_name(const std::string& name) { return name.starts_with(kZoo); }

Model load_model(const std::string& name, uint64_t seed, const InputShapes& shapes) {
  Model model{.name = name, .graph = {}, .bytes = 0, .newer = {}};
  if (is_zoo_name(name)) {
    model.graph = build(name, seed);
    model.bytes = static_cast<int64_t>(onnx_bytes(model.graph));
  } else {
    model.graph = read(name);
    std::error_code gone;
    const bool beside = model.graph.foreign.storage == Foreign::Storage::beside;
    model.bytes = static_cast<int64_t>(beside ? onnx_bytes(model.graph)
                                              : std::filesystem::file_size(name, gone));
  }
  model.newer = newer_than_known(model.graph);
  set_open_sizes(model.graph, shapes);
  model.assumed = assumed_sizes(model.graph);
  return model;
}

Buffer onnx_file_of(const Model& model) {
  const bool beside = model.graph.foreign.storage == Foreign::Storage::beside;
  if (is_zoo_name(model.name) || beside) return {};
  const Buffer file = read_file(model.name);
  return is_container(file.bytes()) ? decode(file) : file;
}

std::future<std::string> model_sha256(const std::string& name, uint64_t seed) {
  return std::async(std::launch::async, [name, seed] {
    return is_zoo_name(name) ? sha256_of_zoo_model(name, seed) : sha256_of_file(name);
  });
}

std::string describe_inputs(const Graph& graph, const InputSizes& sizes) {
  std::string text;
  for (const ValueId id : graph.inputs) {
    const std::string shape = to_string(input_shape(graph, id, sizes));
    if (graph.inputs.size() == 1) return shape;
    text += (text.empty() ? "" : ", ") + graph.value(id).name + " " + shape;
  }
  return text;
}

}  // namespace coppice
