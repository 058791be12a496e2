// See statistics.h.
#include "codec/tensor/statistics.h"

#include <cmath>
#include <cstring>

#include "codec/coders/code_streams.h"

namespace coppice::codec {
namespace {

template <typename T>
T element_at(std::span<const std::byte> elements, uint64_t i) {
  T element;
  std::memcpy(&element, elements.data() + i * sizeof(T), sizeof(T));
  return element;
}

// Positions of the nonzeros and, as long as there are few, the different values.
template <typename T>
void gather(std::span<const std::byte> elements, TensorStatistics& statistics) {
  for (uint64_t i = 0; i < statistics.elements; ++i) {
    statistics.nonzeros += element_at<T>(elements, i) != 0 ? 1 : 0;
  }
  const bool any_zero = statistics.nonzeros < statistics.elements;
  CodebookBuilder builder(statistics.nonzeros);
  if (any_zero) statistics.positions.reserve(statistics.nonzeros);
  for (uint64_t i = 0; i < statistics.elements; ++i) {
    const T element = element_at<T>(elements, i);
    if (element == 0) continue;
    if (any_zero) statistics.positions.push_back(static_cast<uint32_t>(i));
    if (!builder.full()) {
      builder.add(element);
    } else if (!any_zero) {
      break;  // nothing more to learn
    }
  }
  statistics.distinct = builder.full() ? -1 : static_cast<int64_t>(builder.distinct());
  const bool shared = static_cast<double>(builder.distinct()) <=
                      kSharedValues * static_cast<double>(statistics.nonzeros);
  if (!builder.full() && (shared || builder.distinct() == 1)) {
    statistics.codes = builder.finish(sizeof(T));
  }
}

// The width whose two Huffman streams are shortest: both depend on the fillers.
RelativeSizes best_relative(const TensorStatistics& statistics, int index_bits) {
  if (index_bits > 0) return relative_sizes(statistics.gaps, index_bits);
  const auto bits_of = [&](const RelativeSizes& sizes) {
    if (!statistics.codes) {
      const uint64_t entries = statistics.nonzeros + sizes.fillers;
      return static_cast<double>(sizes.huffman_bits + 32 * entries);
    }
    std::vector<uint64_t> counts = statistics.codes->counts;
    counts.push_back(sizes.fillers);
    return static_cast<double>(sizes.huffman_bits) + entropy_bits(counts);
  };
  RelativeSizes best;
  double least = 0;
  for (int bits = 1; bits <= kMaxIndexBits; ++bits) {
    RelativeSizes sizes = relative_sizes(statistics.gaps, bits);
    const bool last = sizes.fillers == 0;  // wider indices code the same
    const double size = bits_of(sizes);
    if (bits == 1 || size < least) {
      best = std::move(sizes);
      least = size;
    }
    if (last) break;
  }
  return best;
}

// Bits of the codes, fillers among them, by a Huffman code; by entropy where the alphabet is larger
// than our Huffman codes.
double huffman_bits(const TensorStatistics& statistics) {
  std::vector<uint64_t> counts = statistics.codes->counts;
  counts.push_back(statistics.relative.fillers);
  if (counts.size() > kMaxHuffmanSymbols) return entropy_bits(counts);
  return static_cast<double>(coded_bits(counts, code_lengths(counts)));
}

}  // namespace

TensorStatistics take_statistics(std::span<const std::byte> elements, int width_bytes,
                                 int index_bits) {
  TensorStatistics statistics;
  statistics.elements = elements.size() / static_cast<size_t>(width_bytes);
  if (width_bytes == 1) gather<uint8_t>(elements, statistics);
  if (width_bytes == 2) gather<uint16_t>(elements, statistics);
  if (width_bytes == 4) gather<uint32_t>(elements, statistics);
  statistics.gaps =
      statistics.nonzeros < statistics.elements
          ? gaps_of(statistics.positions)
          : GapHistogram{
                .small = {0, statistics.elements}, .large = {}, .entries = statistics.elements};
  statistics.relative = best_relative(statistics, index_bits);
  return statistics;
}

TensorReport account(const TensorStatistics& statistics, int width_bytes) {
  const double nonzeros = static_cast<double>(statistics.nonzeros);
  const double width = 8.0 * width_bytes;
  const double entries = nonzeros + static_cast<double>(statistics.relative.fillers);
  const double index_bits = statistics.relative.index_bits;
  TensorReport report;
  report.elements = static_cast<int64_t>(statistics.elements);
  report.nonzeros = static_cast<int64_t>(statistics.nonzeros);
  report.index_bits = statistics.relative.index_bits;
  report.fillers = static_cast<int64_t>(statistics.relative.fillers);
  report.p_bits = report.pq_bits = report.pqh_bits = entries * (width + index_bits);
  const std::vector<uint64_t> zero_or_not = {statistics.nonzeros,
                                             statistics.elements - statistics.nonzeros};
  report.bound_bits = entropy_bits(zero_or_not);
  report.distinct = statistics.distinct;
  if (!statistics.codes) {
    report.bound_bits += nonzeros * width;
    return report;
  }
  const size_t distinct = statistics.codes->codebook.size();
  const int code_bits = bits_for(distinct + 1);
  const double codebook = width * std::exp2(code_bits);
  report.pq_bits = entries * (code_bits + index_bits) + codebook;
  report.pqh_bits =
      static_cast<double>(statistics.relative.huffman_bits) + huffman_bits(statistics) + codebook;
  report.bound_bits +=
      entropy_bits(statistics.codes->counts) + width * static_cast<double>(distinct);
  return report;
}

}  // namespace coppice::codec
