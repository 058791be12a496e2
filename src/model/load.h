// A model as every task takes it: a file, or "zoo:NAME" for a network built here from a seed.
#pragma once

#include <cstdint>
#include <future>
#include <string>

#include "core/files.h"
#include "graph/graph.h"
#include "model/input_shapes.h"

namespace coppice {

struct Model {
  std::string name;  // as it was given
  Graph graph;
  int64_t bytes = 0;         // of the file, or of the file that would be written
  std::string newer;         // newer_than_known (onnx/onnx.h): to be said
  std::string assumed = {};  // assumed_sizes: the same
};

bool is_zoo_name(const std::string& name);

// `shapes`: of inputs whose sizes are open. Throws Error::input with the path for what can't be
// read, Error::usage for no name in the zoo, or shapes that aren't the model's.
Model load_model(const std::string& name, uint64_t seed, const InputShapes& shapes = {});

// The ONNX file's bytes as they are, unpacked where it lies in a container; empty where there is no
// one file: a net of the zoo, or weights in files beside.
Buffer onnx_file_of(const Model& model);

// SHA-256 of the model's file, computed beside whatever else is done; for a zoo model of the file
// that `coppice zoo` writes for the same seed, so that plans fit both.
std::future<std::string> model_sha256(const std::string& name, uint64_t seed);

// "2x3x224x224", or "input 2x10, state 2x64" for several; as they are under `sizes`.
struct InputSizes;
std::string describe_inputs(const Graph& graph, const InputSizes& sizes);

}  // namespace coppice
