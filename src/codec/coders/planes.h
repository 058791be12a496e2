// Byte planes: byte p of every element, one plane after the other, each coded as suits it.
//
// Elements are first rotated left by one bit, so that the top byte of a float32 is its exponent
// alone and the sign lies below the mantissa. Exponents of trained weights have an entropy of 2 to
// 3 bits; mantissas can't be compressed and stay as they are.
//
// Layout, for each plane, lowest first: a byte: 0 raw, 1 Huffman, 2 context. Raw: the bytes. Else:
// (Huffman: table,) varint of the stream's bytes, stream. The context of the adaptive coder is the
// running average of the plane's bytes, m += (16 * byte - m) / 8, from 0; its bits 3 to 7.
#pragma once

#include <cstdint>
#include <span>

#include "codec/coders/bytes.h"
#include "codec/tensor/entries.h"

namespace coppice::codec {

inline constexpr int kMaxPlanes = 8;  // widths 1, 2, 4, 8

enum class PlaneCoders { raw_and_huffman, all };

// `elements`: whole elements of `width_bytes` each. Each plane takes the smallest coding.
Bytes encode_planes(std::span<const std::byte> elements, int width_bytes, PlaneCoders coders);
void decode_planes(ByteReader& reader, const Entries& entries);

}  // namespace coppice::codec
