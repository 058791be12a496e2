// One tensor's section: how positions and values are stored, and reading them.
//
// Layout: a byte: log2 of the element's bytes (bits 0 to 2), positions (bits 3 and 4), values (bits
// 5 to 7); varint of the elements; unless all are stored, varint of the stored entries; positions;
// values; zeros until there is a byte for each 16384 elements.
// How they are chosen stands in choose.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "codec/coders/bytes.h"
#include "codec/tensor/geometry.h"

namespace coppice::codec {

enum class Positions : uint8_t {
  all,       // every element is stored
  bitmask,   // a bit an element, lowest first
  relative,  // relative_index.h; entries include fillers
  contexts,  // geometry, varint of the stream's bytes, stream (context_positions.h)
};

enum class ValueCoding : uint8_t {
  raw,       // the entries' bytes
  half,      // two bytes each: float32 values that float16 holds exactly
  planes,    // planes.h
  constant,  // one element's bytes, for all
  packed,    // codebook, then the streams of code_streams.h
  huffman,
  contexts,  // codebook, geometry, stream
};

struct Storage {
  int width_bytes = 4;  // 1, 2, 4, 8 or 16
  Positions positions = Positions::all;
  ValueCoding values = ValueCoding::raw;
};

// "relative indices, codes by Huffman", for people.
std::string name_of(const Storage& storage);

void append_head(Bytes& bytes, const Storage& storage, uint64_t elements);

struct TensorHead {
  Storage storage;
  uint64_t elements = 0;
  uint64_t bytes() const { return elements * static_cast<uint64_t>(storage.width_bytes); }
};

// What the section stands for. Throws Error::input for what is no storage, or for more elements
// than the section's bytes may stand for.
TensorHead parse_head(std::span<const std::byte> section);
// Writes the tensor's bytes. Requires: `elements` has parse_head(section).bytes().
// Throws Error::input where the section isn't sound.
void decode_tensor(std::span<const std::byte> section, std::span<std::byte> elements);

}  // namespace coppice::codec
