// Codes into a codebook as bits: packed, by Huffman, or by the adaptive coder.
//
//     packed   codes of as many bits as the largest needs, lowest bit first
//     huffman  table (huffman.h), then the codes; alphabets of up to 4096 symbols
//     context  a binary tree over the code, highest bit first. In convolutions the first three
//     levels
//              have a context: the classes (nothing, or which quarter of the codebook, by sign and
//              rank) of the neighbours to the left and above in the kernel.
// Each stream takes the rest of the reader.
#pragma once

#include <cstdint>
#include <span>

#include "codec/tensor/codebook.h"
#include "codec/tensor/entries.h"
#include "codec/tensor/geometry.h"

namespace coppice::codec {

// Bits that codes 0 to symbols - 1 need; 0 for one symbol.
int bits_for(uint64_t symbols);

Bytes encode_packed(const Codes& codes);
// Requires: at most kMaxHuffmanSymbols codes.
Bytes encode_huffman(const Codes& codes);
// Requires: no fillers. `positions` is empty where all elements are stored.
Bytes encode_context(const Codes& codes, std::span<const uint32_t> positions, int width_bytes,
                     const Geometry& geometry);

// `patterns`: what each code stands for. Each throws Error::input for codes beyond them, or where
// the bits end early.
void decode_packed(std::span<const std::byte> bytes, const std::vector<uint32_t>& patterns,
                   const Entries& entries);
void decode_huffman(ByteReader& reader, const std::vector<uint32_t>& patterns,
                    const Entries& entries);
void decode_context(std::span<const std::byte> bytes, const std::vector<uint32_t>& patterns,
                    const Entries& entries, const Geometry& geometry);

}  // namespace coppice::codec
