// See code_streams.h.
#include "codec/coders/code_streams.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "codec/coders/huffman.h"
#include "codec/coders/range_coder.h"
#include "core/error.h"

namespace coppice::codec {
namespace {

void require_within(uint32_t largest, size_t symbols) {
  if (largest < symbols) return;
  fail_input("a code is " + std::to_string(largest) + ", expected less than " +
             std::to_string(symbols));
}

// Padded to a power of two, so that any code of so many bits finds something.
std::vector<uint32_t> padded(const std::vector<uint32_t>& patterns) {
  std::vector<uint32_t> table = patterns;
  table.resize(size_t{1} << bits_for(patterns.size()));
  return table;
}

// The tree's models, and the classes of the neighbours that choose among them.
class CodeModels {
 public:
  CodeModels(size_t symbols, size_t negatives, const Geometry& geometry)
      : levels_(bits_for(symbols)),
        geometry_(geometry),
        class_of_(size_t{1} << levels_),
        deep_(size_t{1} << levels_),
        row_end_(0) {
    if (!geometry.has_kernels()) return;
    masks_ = neighbour_masks(geometry);
    classes_.assign(geometry.columns, 0);
    for (size_t code = 0; code < symbols; ++code) {
      const bool negative = code < negatives;
      const bool lower = negative ? 2 * code < negatives : 2 * code < negatives + symbols;
      class_of_[code] = static_cast<uint8_t>(negative ? (lower ? 1 : 2) : (lower ? 3 : 4));
    }
  }

  int levels() const { return levels_; }
  // Goes to the next entry. Requires: positions ascend.
  void move_to(uint64_t position) {
    if (!geometry_.has_kernels()) return;
    if (position >= row_end_) begin_row(position);
    column_ = position - (row_end_ - geometry_.columns);
    const size_t left = masks_[column_] & 1 ? classes_[column_ - 1] : 0;
    const size_t up = masks_[column_] & 2 ? classes_[column_ - geometry_.width] : 0;
    context_ = left * kClasses + up;
  }
  // Models by node, of the levels that have a context and of those below.
  AdaptiveBit* top() { return top_[context_].data(); }
  AdaptiveBit* deep() { return deep_.data(); }
  int top_levels() const { return std::min(levels_, kTopLevels); }
  void saw(uint32_t code) {
    if (geometry_.has_kernels()) classes_[column_] = class_of_[code];
  }

 private:
  static constexpr int kTopLevels = 3;
  static constexpr size_t kClasses = 5;

  void begin_row(uint64_t position) {
    row_end_ = (position / geometry_.columns + 1) * geometry_.columns;
    std::fill(classes_.begin(), classes_.end(), uint8_t{0});
  }

  int levels_;
  Geometry geometry_;
  std::vector<uint8_t> class_of_, masks_, classes_;  // of codes; of columns; of this row's entries
  std::array<std::array<AdaptiveBit, 1 << kTopLevels>, kClasses * kClasses> top_{};
  std::vector<AdaptiveBit> deep_;
  uint64_t row_end_, column_ = 0;
  size_t context_ = 0;
};

size_t negatives_of(const std::vector<uint32_t>& patterns, int width_bytes) {
  const uint32_t sign = uint32_t{1} << (8 * width_bytes - 1);
  return static_cast<size_t>(std::count_if(patterns.begin(), patterns.end(),
                                           [&](uint32_t pattern) { return pattern & sign; }));
}

}  // namespace

int bits_for(uint64_t symbols) { return symbols < 2 ? 0 : std::bit_width(symbols - 1); }

Bytes encode_packed(const Codes& codes) {
  BitWriter bits;
  const int width = bits_for(codes.counts.size());
  for (const uint16_t code : codes.codes) bits.put(code, width);
  return bits.finish();
}

Bytes encode_huffman(const Codes& codes) {
  Bytes bytes;
  const CodeLengths lengths = code_lengths(codes.counts);
  append_lengths(bytes, lengths);
  BitWriter bits;
  const HuffmanEncoder encoder(lengths);
  for (const uint16_t code : codes.codes) encoder.put(bits, code);
  append(bytes, bits.finish());
  return bytes;
}

Bytes encode_context(const Codes& codes, std::span<const uint32_t> positions, int width_bytes,
                     const Geometry& geometry) {
  CodeModels models(codes.codebook.size(), negatives_of(codes.codebook, width_bytes), geometry);
  RangeEncoder encoder;
  for (size_t i = 0; i < codes.codes.size(); ++i) {
    models.move_to(positions.empty() ? i : positions[i]);
    const uint32_t code = codes.codes[i];
    uint32_t node = 1;
    for (int level = 0; level < models.levels(); ++level) {
      const bool bit = code >> (models.levels() - 1 - level) & 1;
      encoder.put(level < models.top_levels() ? models.top()[node] : models.deep()[node], bit);
      node = 2 * node + (bit ? 1 : 0);
    }
    models.saw(code);
  }
  return encoder.finish();
}

void decode_packed(std::span<const std::byte> bytes, const std::vector<uint32_t>& patterns,
                   const Entries& entries) {
  const int width = bits_for(patterns.size());
  const std::vector<uint32_t> table = padded(patterns);
  uint32_t largest = 0;
  BitReader bits(bytes);
  with_store(entries, [&](auto store) {
    BitReader local = bits;
    for (uint64_t i = 0; i < entries.count; ++i) {
      const uint32_t code = local.get(width);
      largest = std::max(largest, code);
      store(i, table[code]);
    }
    bits = local;
  });
  require_within(largest, patterns.size());
  if (bits.overrun())
    fail_input("packed codes end early: expected " + std::to_string(entries.count));
}

void decode_huffman(ByteReader& reader, const std::vector<uint32_t>& patterns,
                    const Entries& entries) {
  if (patterns.size() > kMaxHuffmanSymbols) {
    fail_input("a Huffman code of " + std::to_string(patterns.size()) +
               " symbols, expected at most " + std::to_string(kMaxHuffmanSymbols));
  }
  const HuffmanDecoder decoder(take_lengths(reader, patterns.size()));
  BitReader bits(reader.rest());
  with_store(entries, [&](auto store) {
    BitReader local = bits;
    const uint64_t whole = entries.count / 3 * 3;
    for (uint64_t i = 0; i < whole; i += 3) {  // three codes of 15 bits fit a refill of 56
      local.refill();
      store(i, patterns[decoder.get(local)]);
      store(i + 1, patterns[decoder.get(local)]);
      store(i + 2, patterns[decoder.get(local)]);
    }
    for (uint64_t i = whole; i < entries.count; ++i) {
      local.refill();
      store(i, patterns[decoder.get(local)]);
    }
    bits = local;
  });
  if (bits.overrun()) {
    fail_input("Huffman codes end early: expected " + std::to_string(entries.count));
  }
}

void decode_context(std::span<const std::byte> bytes, const std::vector<uint32_t>& patterns,
                    const Entries& entries, const Geometry& geometry) {
  CodeModels models(patterns.size(), negatives_of(patterns, entries.width_bytes), geometry);
  const std::vector<uint32_t> table = padded(patterns);
  const int levels = models.levels(), top_levels = models.top_levels();
  const uint32_t symbols = uint32_t{1} << levels;
  AdaptiveBit* const deep = models.deep();
  uint32_t largest = 0;
  with_store(entries, [&](auto store) {
    RangeDecoder decoder(bytes);
    for (uint64_t i = 0; i < entries.count; ++i) {
      models.move_to(entries.position(i));
      uint32_t node = 1;
      AdaptiveBit* const top = models.top();
      for (int level = 0; level < top_levels; ++level) node = 2 * node + decoder.get(top[node]);
      for (int level = top_levels; level < levels; ++level) {
        node = 2 * node + decoder.get(deep[node]);
      }
      const uint32_t code = node - symbols;
      models.saw(code);
      largest = std::max(largest, code);
      store(i, table[code]);
    }
  });
  require_within(largest, patterns.size());
}

}  // namespace coppice::codec
