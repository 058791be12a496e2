// See codebook.h.
#include "codec/tensor/codebook.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>

#include "codec/coders/range_coder.h"
#include "core/error.h"
#include "core/float_bits.h"

namespace coppice::codec {
namespace {

constexpr int kWidthBits = 6, kWidthNodes = 1 << kWidthBits;
using WidthModels = std::array<AdaptiveBit, kWidthNodes>;

}  // namespace

void append_codebook(Bytes& bytes, const Codebook& codebook, int width_bytes) {
  WidthModels models{};
  RangeEncoder encoder;
  uint32_t least = 0;
  for (const uint32_t pattern : codebook) {
    const uint32_t key = order_key(pattern, 8 * width_bytes), more = key - least;
    const int width = std::bit_width(more);
    uint32_t node = 1;
    for (int i = kWidthBits - 1; i >= 0; --i) {
      const bool bit = width >> i & 1;
      encoder.put(models[node], bit);
      node = 2 * node + (bit ? 1 : 0);
    }
    if (width > 1) encoder.put_plain(more & all_ones(width - 1), width - 1);
    least = key + 1;
  }
  const Bytes coded = encoder.finish();
  append_varint(bytes, codebook.size());
  append_varint(bytes, coded.size());
  append(bytes, coded);
}

Codebook take_codebook(ByteReader& reader, uint64_t most, int width_bytes) {
  const uint64_t size = reader.varint(std::min<uint64_t>(most, kMaxCodebook), "codebook size");
  if (size == 0) fail_input("codebook size is 0, expected at least 1");
  RangeDecoder decoder(reader.take(reader.varint()));
  WidthModels models{};
  Codebook codebook;
  uint64_t least = 0;
  for (uint64_t i = 0; i < size; ++i) {
    uint32_t node = 1;
    while (node < kWidthNodes) node = 2 * node + decoder.get(models[node]);
    const int width = static_cast<int>(node) - kWidthNodes;
    if (width > 32) {
      fail_input("a codebook difference has " + std::to_string(width) +
                 " bits, expected at most 32");
    }
    uint64_t more = width > 0 ? uint64_t{1} << (width - 1) : 0;
    if (width > 1) more |= decoder.get_plain(width - 1);
    const uint64_t key = least + more;
    if (key > all_ones(8 * width_bytes)) {
      fail_input("codebook value " + std::to_string(i) + " lies beyond " +
                 std::to_string(8 * width_bytes) + " bits, expected none");
    }
    codebook.push_back(pattern_of(static_cast<uint32_t>(key), 8 * width_bytes));
    least = key + 1;
  }
  return codebook;
}

Codes with_fillers(const Codes& codes, const std::vector<bool>& filler) {
  Codes result{.codebook = codes.codebook, .codes = {}, .counts = {0}, .fillers = true};
  result.codes.reserve(filler.size());
  auto next = codes.codes.begin();
  for (const bool fills : filler) {
    result.codes.push_back(static_cast<uint16_t>(fills ? 0 : *next++ + 1));
  }
  result.counts[0] = filler.size() - codes.codes.size();
  result.counts.insert(result.counts.end(), codes.counts.begin(), codes.counts.end());
  return result;
}

double entropy_bits(std::span<const uint64_t> counts) {
  double total = 0, bits = 0;
  for (const uint64_t count : counts) total += static_cast<double>(count);
  for (const uint64_t count : counts) {
    if (count > 0)
      bits -= static_cast<double>(count) * std::log2(static_cast<double>(count) / total);
  }
  return bits;
}

CodebookBuilder::CodebookBuilder(uint64_t expected_values)
    : slots_(std::bit_ceil(2 * std::min<uint64_t>(expected_values, kMaxCodebook) + 2)),
      shift_(32 - std::countr_zero(slots_.size())) {
  codes_.reserve(expected_values);
}

void CodebookBuilder::add(uint32_t pattern) {
  // Multiplication by 2^32 / golden ratio spreads floats that share their low or high bits.
  size_t slot = (pattern * 2654435769u) >> shift_;
  while (slots_[slot].number != 0 && slots_[slot].pattern != pattern) {
    slot = (slot + 1) & (slots_.size() - 1);
  }
  if (slots_[slot].number == 0) {
    values_.push_back(pattern);
    slots_[slot] = {pattern, static_cast<uint32_t>(values_.size())};
  }
  codes_.push_back(static_cast<uint16_t>(slots_[slot].number - 1));
}

Codes CodebookBuilder::finish(int width_bytes) {
  std::vector<uint64_t> order;  // key, then number
  for (size_t i = 0; i < values_.size(); ++i) {
    order.push_back(uint64_t{order_key(values_[i], 8 * width_bytes)} << 32 | i);
  }
  std::sort(order.begin(), order.end());
  Codes result;
  std::vector<uint16_t> rank(values_.size());
  for (size_t i = 0; i < order.size(); ++i) {
    const auto number = static_cast<uint32_t>(order[i]);
    result.codebook.push_back(values_[number]);
    rank[number] = static_cast<uint16_t>(i);
  }
  result.counts.assign(values_.size(), 0);
  for (uint16_t& code : codes_) {
    code = rank[code];
    ++result.counts[code];
  }
  result.codes = std::move(codes_);
  return result;
}

}  // namespace coppice::codec
