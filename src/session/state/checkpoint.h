// A whole session in one file, so that a run that ends at any moment goes on to the same bits.
//
//   "coppice checkpoint 3\n"
//   u64      bytes of the header, little-endian
//   header   JSON: the session's state, the size of the graph, the names of the graph's values in
//            their order, which of them are copies of which, and for each tensor its place
//            ("momentum", "mask", "snapshot NAME", "method"), name, type and shape
//   graph    an ONNX file with the weights as they are now
//   tensors  their bytes, in the header's order
//   64 hexadecimal digits: SHA-256 of all before
//
// Files are written beside and renamed, so there is always a whole one. An ONNX file keeps neither
// the numbers of values nor what was copied from what, but ties are broken by the first and plans
// name copies by the second: so a graph is read back with both.
#pragma once

#include <filesystem>

#include "core/files.h"
#include "session/state/state.h"

namespace coppice {

// Whether a checkpoint begins there, of whatever version.
bool is_checkpoint(const std::filesystem::path& path);
void write_checkpoint(const std::filesystem::path& path, const SessionState& state);
// Throws Error::input naming the file where it isn't a whole checkpoint.
SessionState read_checkpoint(const std::filesystem::path& path);
// The same from bytes. Memory is asked for only for what they hold.
SessionState parse_checkpoint(const Buffer& file);

// Throws Error::usage naming the first option whose value is another than in the checkpoint.
void require_same(const Request& now, const Request& before);

}  // namespace coppice
