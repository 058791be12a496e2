// See relative_index.h.
#include "codec/coders/relative_index.h"

#include <string>

#include "core/error.h"

namespace coppice::codec {
namespace {

constexpr uint8_t kHuffmanFlag = 128;

template <typename Visit>
void for_each_gap(std::span<const uint32_t> positions, const Visit& visit) {
  uint64_t before = 0;  // one past the last position
  for (const uint32_t position : positions) {
    visit(position + uint64_t{1} - before);
    before = position + uint64_t{1};
  }
}

// `next` gives the indices one by one.
template <typename Next>
PositionList positions_from(uint64_t entries, uint64_t elements, const Next& next) {
  PositionList positions(entries);
  uint64_t end = 0;
  for (uint32_t& position : positions.span()) {
    end += next() + uint64_t{1};
    if (end > elements) {
      fail_input("a relative index leads to position " + std::to_string(end - 1) +
                 ", expected less than " + std::to_string(elements));
    }
    position = static_cast<uint32_t>(end - 1);
  }
  return positions;
}

}  // namespace

GapHistogram gaps_of(std::span<const uint32_t> positions) {
  GapHistogram gaps;
  for_each_gap(positions, [&](uint64_t gap) {
    if (gap < GapHistogram::kSmallGaps) {
      if (gap >= gaps.small.size()) gaps.small.resize(gap + 1);
      ++gaps.small[gap];
    } else {
      gaps.large.push_back(static_cast<uint32_t>(gap - 1));
    }
  });
  gaps.entries = positions.size();
  return gaps;
}

RelativeSizes relative_sizes(const GapHistogram& gaps, int index_bits) {
  RelativeSizes sizes{.index_bits = index_bits, .lengths = {}};
  const uint32_t most = (uint32_t{1} << index_bits) - 1;
  std::vector<uint64_t> counts(uint64_t{most} + 1, 0);
  const auto count = [&](uint64_t gap_less_one, uint64_t times) {
    if (times == 0) return;
    sizes.fillers += times * (gap_less_one >> index_bits);
    counts[gap_less_one & most] += times;
  };
  for (size_t gap = 1; gap < gaps.small.size(); ++gap) count(gap - 1, gaps.small[gap]);
  for (const uint32_t gap_less_one : gaps.large) count(gap_less_one, 1);
  counts[most] += sizes.fillers;
  sizes.lengths = code_lengths(counts);
  sizes.packed_bits = (gaps.entries + sizes.fillers) * static_cast<uint64_t>(index_bits);
  sizes.huffman_bits = coded_bits(counts, sizes.lengths);
  return sizes;
}

RelativeEntries relative_entries(std::span<const uint32_t> positions, int index_bits) {
  RelativeEntries entries;
  const uint32_t most = (uint32_t{1} << index_bits) - 1;
  for_each_gap(positions, [&](uint64_t gap) {
    for (; gap > uint64_t{most} + 1; gap -= uint64_t{most} + 1) {
      entries.indices.push_back(most);
      entries.filler.push_back(true);
    }
    entries.indices.push_back(static_cast<uint32_t>(gap - 1));
    entries.filler.push_back(false);
  });
  return entries;
}

Bytes encode_relative(const RelativeEntries& entries, const RelativeSizes& sizes,
                      IndexCoding coding) {
  const bool huffman = coding == IndexCoding::huffman;
  Bytes bytes;
  bytes.push_back(static_cast<std::byte>(sizes.index_bits | (huffman ? kHuffmanFlag : 0)));
  BitWriter bits;
  if (huffman) {
    append_lengths(bytes, sizes.lengths);
    const HuffmanEncoder encoder(sizes.lengths);
    for (const uint32_t index : entries.indices) encoder.put(bits, index);
  } else {
    for (const uint32_t index : entries.indices) bits.put(index, sizes.index_bits);
  }
  const Bytes stream = bits.finish();
  append_varint(bytes, stream.size());
  append(bytes, stream);
  return bytes;
}

PositionList decode_relative(ByteReader& reader, uint64_t entries, uint64_t elements) {
  const uint8_t head = reader.byte();
  const int index_bits = head & ~kHuffmanFlag;
  if (index_bits < 1 || index_bits > kMaxIndexBits) {
    fail_input("relative indices of " + std::to_string(index_bits) + " bits, expected 1 to " +
               std::to_string(kMaxIndexBits));
  }
  CodeLengths lengths;
  if (head & kHuffmanFlag) lengths = take_lengths(reader, size_t{1} << index_bits);
  BitReader bits(reader.take(reader.varint()));
  const auto checked = [&](PositionList positions) {
    if (bits.overrun()) {
      fail_input("relative indices end early: expected " + std::to_string(entries));
    }
    return positions;
  };
  if (!(head & kHuffmanFlag)) {
    return checked(positions_from(entries, elements, [&] { return bits.get(index_bits); }));
  }
  const HuffmanDecoder decoder(lengths);
  return checked(positions_from(entries, elements, [&] {
    bits.refill();
    return decoder.get(bits);
  }));
}

}  // namespace coppice::codec
