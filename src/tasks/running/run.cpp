// See run.h. The arrays' shapes bind the sizes that the model leaves open.
#include "tasks/running/run.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/error.h"
#include "core/numbers/half.h"
#include "data/formats/npy.h"
#include "graph/passes/halves.h"
#include "runtime/executable.h"
#include "runtime/reference.h"
#include "tasks/parts/latency.h"
#include "tasks/running/array_files.h"

namespace coppice {
namespace {

using Clock = std::chrono::steady_clock;
using Array = RunReport::Array;

double ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

std::vector<std::string> names_of(const Graph& graph, const std::vector<ValueId>& values) {
  std::vector<std::string> names;
  names.reserve(values.size());
  for (const ValueId id : values) names.push_back(graph.value(id).name);
  return names;
}

std::vector<ArrayFile> files_of(const std::vector<std::string>& texts, const ArrayRole& role) {
  std::vector<ArrayFile> files;
  files.reserve(texts.size());
  for (const std::string& text : texts) files.push_back(array_file(text, role));
  return files;
}

// As the runtime takes it.
Tensor fitted(const Value& input, const FoundArray& array) {
  Tensor tensor = array.tensor;
  if (tensor.dtype() == DType::f16 && is_half(input.stored)) tensor = widened(tensor);
  const bool other = input.dtype != DType::undefined && input.dtype != tensor.dtype();
  const std::string hint =
      other ? "; convert it with numpy's astype('" +
                  name_of(input.stored == DType::f16 ? DType::f16 : input.dtype) + "')"
            : "";
  try {
    require_declared(input, tensor);
  } catch (const Error& error) {
    throw Error(error.kind(), array.where + ": " + error.what() + hint, error.hints());
  }
  return tensor;
}

std::vector<Tensor> read_inputs(const Graph& graph, const std::vector<ArrayFile>& files,
                                const ArrayRole& role, RunReport& report) {
  const auto arrays = read_arrays(files, role);
  std::string missing;
  for (const std::string& name : role.names) {
    if (!arrays.contains(name)) missing += (missing.empty() ? "'" : ", '") + name + "'";
  }
  if (!missing.empty()) {
    fail_usage("no array is given for " + missing + "; add --input NAME=FILE.npy");
  }
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    const FoundArray& array = arrays.at(value.name);
    inputs.push_back(fitted(value, array));
    report.inputs.push_back({.name = value.name,
                             .type = name_of(array.tensor.dtype()),
                             .shape = array.tensor.shape(),
                             .file = array.where.substr(1, array.where.size() - 2)});
  }
  return inputs;
}

template <typename T>
void tell_numbers(const Tensor& tensor, Array& array) {
  const std::span<const T> numbers(reinterpret_cast<const T*>(tensor.bytes().data()),
                                   static_cast<size_t>(tensor.size()));
  double sum = 0;
  int64_t counted = 0;
  for (const T number : numbers) {
    const auto x = static_cast<double>(number);
    if (std::isnan(x)) {
      ++array.nans;
      continue;
    }
    array.least = counted == 0 ? x : std::min(array.least, x);
    array.greatest = counted == 0 ? x : std::max(array.greatest, x);
    sum += x;
    ++counted;
  }
  if (counted > 0) array.mean = sum / static_cast<double>(counted);
}

void tell_numbers(const Tensor& tensor, Array& array) {
  switch (tensor.dtype()) {
    case DType::f32: return tell_numbers<float>(tensor, array);
    case DType::f64: return tell_numbers<double>(tensor, array);
    case DType::i64: return tell_numbers<int64_t>(tensor, array);
    case DType::u64: return tell_numbers<uint64_t>(tensor, array);
    case DType::f16: return tell_numbers<float>(widened(tensor), array);
    default: return tell_numbers<int64_t>(Tensor::vector(to_int64s(tensor)), array);
  }
}

// What is left of an output when the graph is compiled.
struct Declared {
  std::string name;
  DType stored;
};

std::vector<Declared> declared_outputs(const Graph& graph) {
  std::vector<Declared> outputs;
  for (const ValueId id : graph.outputs) {
    outputs.push_back({graph.value(id).name, graph.value(id).stored});
  }
  return outputs;
}

// As the file declares it, and npy files hold it.
Tensor delivered(const Declared& output, const Tensor& tensor) {
  if (!npy_holds(tensor.dtype())) {
    fail_target("output '" + output.name + "' is of " + name_of(tensor.dtype()) +
                ", which npy files don't hold; expected numbers of at most 8 bytes");
  }
  return output.stored == DType::f16 ? narrowed(tensor, DType::f16) : tensor;
}

std::string file_of(const std::vector<ArrayTarget>& targets, const std::string& name) {
  const auto target = std::ranges::find_if(
      targets, [&](const ArrayTarget& t) { return !t.name || *t.name == name; });
  return target == targets.end() ? "" : target->file.string();
}

// By name, as they are written.
std::map<std::string, Tensor> tell_outputs(const std::vector<Declared>& outputs,
                                           const std::vector<Tensor>& results,
                                           const std::vector<ArrayTarget>& targets,
                                           RunReport& report, Watcher& watcher) {
  std::map<std::string, Tensor> arrays;
  for (size_t i = 0; i < results.size(); ++i) {
    const Tensor tensor = delivered(outputs[i], results[i]);
    Array array{.name = outputs[i].name,
                .type = name_of(tensor.dtype()),
                .shape = tensor.shape(),
                .file = file_of(targets, outputs[i].name)};
    tell_numbers(tensor, array);
    if (array.nans > 0) {
      watcher.warn("output '" + array.name + "' holds " + std::to_string(array.nans) + " NaN");
    }
    arrays[array.name] = tensor;
    report.outputs.push_back(std::move(array));
  }
  return arrays;
}

Json json_of(const std::vector<Array>& arrays) {
  Json list = Json::array();
  for (const Array& array : arrays) {
    list.push_back({{"name", array.name}, {"type", array.type}, {"shape", array.shape}});
    list.back()["file"] = array.file.empty() ? Json() : Json(array.file);
  }
  return list;
}

}  // namespace

RunReport run(const RunRequest& request, Watcher& watcher) {
  const auto start = Clock::now();
  RunReport report;
  report.model = request.model;
  Model model = load_model(request.model, request.common.seed, request.common.input_shapes);
  if (!model.newer.empty()) watcher.warn(model.newer);
  const Graph& graph = model.graph;
  const ArrayRole reads{"--input", "input", names_of(graph, graph.inputs)};
  const ArrayRole writes{"--output", "output", names_of(graph, graph.outputs)};
  const std::vector<ArrayFile> files = files_of(request.inputs, reads);
  Places places(request.common);
  places.reads_model(request.model);
  for (const ArrayFile& file : files) places.reads(file.file);
  const auto targets = targets_of(files_of(request.outputs, writes), writes, places);
  const std::vector<Tensor> inputs = read_inputs(graph, files, reads, report);

  const InputSizes sizes = sizes_of(graph, inputs);
  const std::vector<Declared> outputs = declared_outputs(graph);
  Executable executable = within("'" + request.model + "'", [&] {
    return compile(std::move(model.graph), sizes, timed_target());
  });
  stop_if_requested(watcher);
  const auto loaded = Clock::now();
  const std::vector<Tensor> results = executable.run(inputs);
  report.run_ms = ms_between(loaded, Clock::now());
  report.load_ms = ms_between(start, loaded);
  report.threads = executable.threads();

  write_arrays(targets, tell_outputs(outputs, results, targets, report, watcher));
  return report;
}

Json to_json(const RunReport& report) {
  Json json = {{"model", report.model}, {"inputs", json_of(report.inputs)}};
  json["outputs"] = json_of(report.outputs);
  for (size_t i = 0; i < report.outputs.size(); ++i) {
    const Array& array = report.outputs[i];
    Json& output = json["outputs"][i];
    output["least"] = array.least;
    output["mean"] = array.mean;
    output["greatest"] = array.greatest;
    output["nans"] = array.nans;
  }
  json["threads"] = report.threads;
  json["load_ms"] = report.load_ms;
  json["run_ms"] = report.run_ms;
  return json;
}

}  // namespace coppice
