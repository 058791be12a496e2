// See choose_values.h.
#include "codec/tensor/choose_values.h"

#include "codec/coders/code_streams.h"
#include "codec/coders/half.h"
#include "codec/coders/huffman.h"
#include "codec/coders/planes.h"

namespace coppice::codec {
namespace {

// What neighbours may save of the order-0 entropy; more has not been seen on trained nets.
constexpr double kContextGain = 0.1;
// Codebooks of more values than this share of the entries compete with byte planes.
constexpr uint64_t kSmallCodebook = 8;

Bytes codebook_bytes(const Codes& codes, int width_bytes) {
  Bytes bytes;
  append_codebook(bytes, codes.codebook, width_bytes);
  return bytes;
}

uint64_t packed_stream_bytes(const Codes& codes) {
  return (codes.codes.size() * static_cast<uint64_t>(bits_for(codes.counts.size())) + 7) / 8;
}

uint64_t huffman_stream_bytes(const Codes& codes) {
  const CodeLengths lengths = code_lengths(codes.counts);
  Bytes table;
  append_lengths(table, lengths);
  return table.size() + (coded_bits(codes.counts, lengths) + 7) / 8;
}

bool fits_huffman(const Codes& codes) { return codes.counts.size() <= kMaxHuffmanSymbols; }

// The smallest coding so far. The raw values it starts with are only copied if they stay.
class Smallest {
 public:
  explicit Smallest(const StoredValues& values) : values_(values), size_(values.elements.size()) {}
  size_t size() const { return size_; }
  void offer(ValueCoding coding, Bytes bytes) {
    if (bytes.size() >= size_) return;
    size_ = bytes.size();
    best_ = {coding, std::move(bytes)};
  }
  CodedValues take() {
    if (best_.coding == ValueCoding::raw) append(best_.bytes, values_.elements);
    return std::move(best_);
  }

 private:
  const StoredValues& values_;
  size_t size_;
  CodedValues best_;
};

void try_halves(const StoredValues& values, Smallest& best) {
  if (values.width_bytes != 4) return;
  Bytes bytes;
  for (uint64_t i = 0; i < values.count(); ++i) {
    uint32_t pattern;
    std::memcpy(&pattern, values.elements.data() + 4 * i, 4);
    const auto half = half_of_float(pattern);
    if (!half) return;
    append_fixed(bytes, *half, 2);
  }
  best.offer(ValueCoding::half, std::move(bytes));
}

void try_codes(const StoredValues& values, Rules rules, Smallest& best) {
  const Codes& codes = *values.codes;
  const Bytes codebook = codebook_bytes(codes, values.width_bytes);
  const auto offer = [&](ValueCoding coding, const Bytes& stream) {
    Bytes bytes = codebook;
    append(bytes, stream);
    best.offer(coding, std::move(bytes));
  };
  if (rules.fixed && codebook.size() + packed_stream_bytes(codes) < best.size()) {
    offer(ValueCoding::packed, encode_packed(codes));
  }
  if (rules.fixed && fits_huffman(codes) &&
      codebook.size() + huffman_stream_bytes(codes) < best.size()) {
    offer(ValueCoding::huffman, encode_huffman(codes));
  }
  const double least =
      static_cast<double>(codebook.size()) + (1 - kContextGain) * entropy_bits(codes.counts) / 8;
  if (rules.adaptive && least < static_cast<double>(best.size())) {
    Bytes stream;
    append_geometry(stream, values.geometry);
    append(stream, encode_context(codes, values.positions, values.width_bytes, values.geometry));
    offer(ValueCoding::contexts, stream);
  }
}

}  // namespace

Rules rules_of(CodecOptions::Coder coder) {
  switch (coder) {
    case CodecOptions::Coder::huffman: return {.fixed = true, .adaptive = false};
    case CodecOptions::Coder::context: return {.fixed = false, .adaptive = true};
    case CodecOptions::Coder::smallest: break;
  }
  return {};
}

CodedValues choose_values(const StoredValues& values, Rules rules) {
  const auto first = values.elements.first(static_cast<size_t>(values.width_bytes));
  if (values.codes && values.codes->codebook.size() == 1 && !values.codes->fillers) {
    return {ValueCoding::constant, {first.begin(), first.end()}};
  }
  Smallest best(values);
  try_halves(values, best);
  const uint64_t distinct = values.codes ? values.codes->codebook.size() : values.count();
  if (values.codes) try_codes(values, rules, best);
  if (distinct * kSmallCodebook > values.count() && values.width_bytes <= kMaxPlanes) {
    best.offer(ValueCoding::planes,
               encode_planes(values.elements, values.width_bytes,
                             rules.adaptive ? PlaneCoders::all : PlaneCoders::raw_and_huffman));
  }
  return best.take();
}

CodedValues huffman_values(const Codes& codes, int width_bytes) {
  Bytes bytes = codebook_bytes(codes, width_bytes);
  append(bytes, fits_huffman(codes) ? encode_huffman(codes) : encode_packed(codes));
  return {fits_huffman(codes) ? ValueCoding::huffman : ValueCoding::packed, std::move(bytes)};
}

}  // namespace coppice::codec
