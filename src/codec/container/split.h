// An ONNX file as what is left of it when its large tensors are taken out, and where they belong.
//
// The file is what serialise_onnx writes, piece by piece, or one that is there already. Most
// tensors are pieces of their own and are recognised by their address; those that the writer
// carries whole (documented, or with typed data) and those of Constant nodes are found by their
// bytes within a piece.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "codec/coders/bytes.h"
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
// The same of the file that the graph was read from, whoever wrote it, as it is: where the graph's
// tensors lie in it as they are in memory they are taken out.
SplitFile split_file(const Graph& graph, std::span<const std::byte> file);

}  // namespace coppice::codec
