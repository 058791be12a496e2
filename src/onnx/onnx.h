// Reading and writing ONNX; the only module that knows protobuf.
//
// Reading and writing without a change gives an equal ModelProto: what the graph doesn't model is
// carried as Foreign bytes. Initialisers are neither copied when read (tensors point into the
// file's buffer) nor gathered in one message when written, so files beyond protobuf's 2 GB pass,
// and peak memory stays near the size of the file.
//
// Tensors may lie in files beside the model (ONNX calls them external data). A model that came so,
// or that would pass 2 GB, is written so: the data of larger tensors go to "<model>.data", or where
// that is taken to "<model>.1.data" and so on (onnx/data_files.h).
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/files.h"
#include "graph/graph.h"

namespace coppice {

// Throws Error::input with the path for whatever is not a sound ONNX model.
Graph read_onnx(const std::filesystem::path& path);
// The same from bytes that become the graph's: its tensors point into them, and some are shifted by
// up to three bytes to lie aligned, so the buffer is no ONNX file any more afterwards. Files beside
// it are looked for in `folder`; without one, a tensor that needs one is an error.
Graph parse_onnx(const Buffer& file, const std::filesystem::path& folder = {});

// Calls of the file's own functions become the nodes of their bodies for good; functions that
// nothing calls any more leave the file. The number of calls.
int64_t inline_functions(Graph& graph);

// "opset 27 is newer than 26, ...", where the file is of an opset or IR version that Coppice
// doesn't know yet; empty for all others.
std::string newer_than_known(const Graph& graph);

// What came in half precision is computed in float32 (graph/passes/halves.h): written back as it
// came, or, for a training that goes on, as it is computed.
enum class Halves { as_stored, as_computed };

// Calls `sink` with consecutive pieces of the file, all tensors inside.
void serialise_onnx(const Graph& graph, const std::function<void(std::span<const std::byte>)>& sink,
                    Halves halves = Halves::as_stored);
// Weights that the file computed from others (graph/passes/fold_weights.h) are computed again where
// nothing of them changed.
// Where tensors go beside the file they go to its companion, whose name is none of `taken`.
void write_onnx(const Graph& graph, AtomicFile& file,
                const std::vector<std::filesystem::path>& taken = {});
void write_onnx(const Graph& graph, const std::filesystem::path& path);
// The number of bytes that serialise_onnx writes; write_onnx's files together are nearly as large.
size_t onnx_bytes(const Graph& graph, Halves halves = Halves::as_stored);

}  // namespace coppice
