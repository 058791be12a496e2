// An ONNX file as what is left of it when its large tensors are taken out, and where they belong.
//
// The file is what serialise_onnx writes, piece by piece. Most tensors are pieces of their own and
// are recognised by their address; those that the writer carries whole (documented, or with typed
// data) and those of Constant nodes are found by their bytes within a piece.
#pragma once

#include <string>
#include <vector>

#include "codec/bytes.h"
#include "graph/graph.h"

namespace coppice::codec {

struct Hole {
  uint64_t before = 0;  // bytes of `rest` since the hole before
  ValueId value = kNoValue;
};

struct SplitFile {
  Bytes rest;
  std::vector<Hole> holes;  // in the file's order
  uint64_t file_bytes = 0;
};

// Tensors of fewer bytes stay: taking them out would cost more than it saves.
inline constexpr size_t kLeastTensorBytes = 32;

SplitFile split_file(const Graph& graph);

}  // namespace coppice::codec
