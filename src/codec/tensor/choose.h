// Chooses a tensor's storage by exact size, and writes its section (layout in storage.h).
//
// Candidates whose size follows from counts (raw, packed, Huffman, bitmask, relative) are only
// written when they win; those by the adaptive coder are run, unless their entropy says that they
// can't win.
#pragma once

#include "codec/container/codec.h"
#include "codec/tensor/storage.h"

namespace coppice::codec {

struct TensorSection {
  Bytes bytes;
  TensorReport report;  // without name and bytes
};

// Requires: the tensor has an element, of 1, 2, 4, 8 or 16 bytes.
TensorSection encode_tensor(const Tensor& tensor, const CodecOptions& options);

}  // namespace coppice::codec
