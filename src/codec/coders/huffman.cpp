// See huffman.h.
#include "codec/coders/huffman.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "codec/coders/range_coder.h"
#include "core/error.h"

namespace coppice::codec {
namespace {

std::vector<uint32_t> occurring(std::span<const uint64_t> counts) {
  std::vector<uint32_t> symbols;
  for (uint32_t s = 0; s < counts.size(); ++s) {
    if (counts[s] > 0) symbols.push_back(s);
  }
  return symbols;
}

// One level of package-merge: single symbols and pairs from the level below, by weight.
struct Level {
  std::vector<uint64_t> weights;
  std::vector<char> is_pair;
};

Level merge(const std::vector<uint64_t>& singles, const std::vector<uint64_t>& below) {
  Level level;
  size_t s = 0, p = 0;
  const size_t pairs = below.size() / 2;
  while (s < singles.size() || p < pairs) {
    const uint64_t pair = p < pairs ? below[2 * p] + below[2 * p + 1] : 0;
    const bool take_pair = p < pairs && (s == singles.size() || pair < singles[s]);
    level.weights.push_back(take_pair ? pair : singles[s]);
    level.is_pair.push_back(take_pair ? 1 : 0);
    ++(take_pair ? p : s);
  }
  return level;
}

// The bits of canonical codes, first bit highest, in the order of `sorted`.
template <typename Visit>
void for_each_code(std::span<const uint8_t> lengths, const Visit& visit) {
  std::array<uint32_t, kMaxCodeLength + 2> next{};
  for (const uint8_t length : lengths) {
    if (length > 0) ++next[length + 1];
  }
  for (int length = 1; length <= kMaxCodeLength; ++length) {
    next[length + 1] = (next[length] + next[length + 1]) << 1;
  }
  // next[l] now is the first code of length l: (first of l-1 + number of l-1) * 2.
  for (uint32_t s = 0; s < lengths.size(); ++s) {
    if (lengths[s] > 0) visit(s, next[lengths[s]]++, lengths[s]);
  }
}

uint32_t reversed(uint32_t code, int length) {
  uint32_t result = 0;
  for (int i = 0; i < length; ++i) result |= (code >> i & 1) << (length - 1 - i);
  return result;
}

constexpr int kTableBits = 4, kTableNodes = 1 << kTableBits;

}  // namespace

CodeLengths code_lengths(std::span<const uint64_t> counts) {
  COPPICE_CHECK(counts.size() <= kMaxHuffmanSymbols, "an alphabet is too large for Huffman codes");
  CodeLengths lengths(counts.size(), 0);
  std::vector<uint32_t> symbols = occurring(counts);
  if (symbols.size() == 1) lengths[symbols[0]] = 1;
  if (symbols.size() < 2) return lengths;
  std::stable_sort(symbols.begin(), symbols.end(),
                   [&](uint32_t a, uint32_t b) { return counts[a] < counts[b]; });
  std::vector<uint64_t> singles;
  singles.reserve(symbols.size());
  for (const uint32_t s : symbols) singles.push_back(counts[s]);
  std::vector<Level> levels;
  std::vector<uint64_t> below;
  for (int i = 0; i < kMaxCodeLength; ++i) {
    levels.push_back(merge(singles, below));
    below = levels.back().weights;
  }
  // The cheapest 2n-2 items of the last level are the code; each time a symbol is among the items
  // taken of a level its code grows by a bit, and each pair taken takes two items of the level
  // below.
  size_t taken = 2 * symbols.size() - 2;
  for (size_t level = levels.size(); level-- > 0;) {
    const auto& is_pair = levels[level].is_pair;
    const auto pairs = static_cast<size_t>(
        std::count(is_pair.begin(), is_pair.begin() + static_cast<std::ptrdiff_t>(taken), 1));
    for (size_t i = 0; i < taken - pairs; ++i) ++lengths[symbols[i]];
    taken = 2 * pairs;
  }
  return lengths;
}

uint64_t coded_bits(std::span<const uint64_t> counts, std::span<const uint8_t> lengths) {
  uint64_t bits = 0;
  size_t symbols = 0;
  for (size_t s = 0; s < counts.size(); ++s) {
    bits += counts[s] * lengths[s];
    symbols += lengths[s] > 0 ? 1 : 0;
  }
  return symbols > 1 ? bits : 0;
}

void append_lengths(Bytes& bytes, std::span<const uint8_t> lengths) {
  std::array<std::array<AdaptiveBit, kTableNodes>, kMaxCodeLength + 1> models{};
  RangeEncoder encoder;
  uint32_t before = 0;
  for (const uint8_t length : lengths) {
    uint32_t node = 1;
    for (int i = kTableBits - 1; i >= 0; --i) {
      const bool bit = length >> i & 1;
      encoder.put(models[before][node], bit);
      node = 2 * node + (bit ? 1 : 0);
    }
    before = length;
  }
  const Bytes coded = encoder.finish();
  append_varint(bytes, coded.size());
  append(bytes, coded);
}

CodeLengths take_lengths(ByteReader& reader, size_t symbols) {
  std::array<std::array<AdaptiveBit, kTableNodes>, kMaxCodeLength + 1> models{};
  RangeDecoder decoder(reader.take(reader.varint()));
  CodeLengths lengths;
  uint32_t before = 0;
  for (size_t s = 0; s < symbols; ++s) {
    uint32_t node = 1;
    while (node < kTableNodes) node = 2 * node + decoder.get(models[before][node]);
    before = node - kTableNodes;
    lengths.push_back(static_cast<uint8_t>(before));
  }
  return lengths;
}

HuffmanEncoder::HuffmanEncoder(std::span<const uint8_t> lengths) : codes_(lengths.size()) {
  size_t symbols = 0;
  for (const uint8_t length : lengths) symbols += length > 0 ? 1 : 0;
  if (symbols < 2) return;  // no bits
  for_each_code(lengths, [&](uint32_t symbol, uint32_t code, int length) {
    codes_[symbol] = {static_cast<uint16_t>(reversed(code, length)), static_cast<uint8_t>(length)};
  });
}

HuffmanDecoder::HuffmanDecoder(std::span<const uint8_t> lengths) {
  uint32_t covered = 0;  // of 2^15 code points
  for (const uint8_t length : lengths) {
    if (length == 0) continue;
    ++count_[length];
    covered += uint32_t{1} << (kMaxCodeLength - length);
  }
  for (int length = 1; length <= kMaxCodeLength; ++length) {
    for (uint32_t s = 0; s < lengths.size(); ++s) {
      if (lengths[s] == length) sorted_.push_back(static_cast<uint16_t>(s));
    }
  }
  if (sorted_.size() == 1) {
    fast_.fill({sorted_[0], 0});
    return;
  }
  constexpr uint32_t kAll = uint32_t{1} << kMaxCodeLength;
  if (covered != kAll) {
    fail_input("Huffman code lengths cover " + std::to_string(covered) + " code points of " +
               std::to_string(kAll) + ", expected all");
  }
  for_each_code(lengths, [&](uint32_t symbol, uint32_t code, int length) {
    if (length > kFastBits) return;
    for (size_t i = reversed(code, length); i < kFastSize; i += size_t{1} << length) {
      fast_[i] = {static_cast<uint16_t>(symbol), static_cast<uint16_t>(length)};
    }
  });
}

uint32_t HuffmanDecoder::get_long(BitReader& bits) const {
  uint32_t code = 0, first = 0, offset = 0;
  for (int length = 1; length <= kMaxCodeLength; ++length) {
    code = code << 1 | (bits.bits() >> (length - 1) & 1);
    if (code - first < count_[length]) {
      bits.skip(length);
      return sorted_[offset + code - first];
    }
    first = (first + count_[length]) << 1;
    offset += count_[length];
  }
  COPPICE_CHECK(false, "a complete code has a symbol for any bits");
}

}  // namespace coppice::codec
