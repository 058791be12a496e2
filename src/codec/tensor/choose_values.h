// The smallest coding of a sequence of values. Part of choose.h.
#pragma once

#include <span>

#include "codec/container/codec.h"
#include "codec/tensor/codebook.h"
#include "codec/tensor/storage.h"

namespace coppice::codec {

struct StoredValues {
  std::span<const std::byte> elements;  // one after the other
  int width_bytes = 4;
  const Codes* codes = nullptr;         // of the same values; null where they are too many
  std::span<const uint32_t> positions;  // empty: all elements are stored
  Geometry geometry;
  uint64_t count() const { return elements.size() / static_cast<size_t>(width_bytes); }
};

// Which coders an option lets in.
struct Rules {
  bool fixed = true;     // packed codes, Huffman codes, bitmasks, relative indices
  bool adaptive = true;  // contexts
};
Rules rules_of(CodecOptions::Coder coder);

struct CodedValues {
  ValueCoding coding = ValueCoding::raw;
  Bytes bytes;
};
// Requires: at least one value.
CodedValues choose_values(const StoredValues& values, Rules rules);
// Codes by Huffman, or packed where the alphabet is too large for that.
CodedValues huffman_values(const Codes& codes, int width_bytes);

}  // namespace coppice::codec
