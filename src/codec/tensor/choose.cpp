// See choose.h.
#include "codec/tensor/choose.h"

#include <algorithm>
#include <numeric>

#include "codec/coders/context_positions.h"
#include "codec/tensor/choose_values.h"
#include "codec/tensor/statistics.h"
#include "core/error.h"
#include "core/float_bits.h"

namespace coppice::codec {
namespace {

constexpr uint64_t kMaxPositions = (uint64_t{1} << 32) - 1;
// Where fewer elements are zero than one in so many, their places aren't worth storing apart.
constexpr uint64_t kRareZeros = 64;
// Where fewer elements than one in so many are nonzero, storing all can't win.
constexpr uint64_t kRareNonzeros = 4;

struct Body {  // of a section, between head and padding
  Storage storage;
  Bytes bytes;
};

// One tensor of elements of up to 4 bytes.
class Choice {
 public:
  Choice(const Tensor& tensor, const CodecOptions& options)
      : elements_(tensor.bytes()),
        width_(static_cast<int>(size_of(tensor.dtype()))),
        options_(options),
        rules_(rules_of(options.coder)),
        geometry_(geometry_of(tensor.shape())),
        statistics_(take_statistics(elements_, width_, options.index_bits)) {}

  const TensorStatistics& statistics() const { return statistics_; }

  Body best() {
    const uint64_t zeros = statistics_.elements - statistics_.nonzeros;
    const bool any_zero = zeros > 0, any_nonzero = statistics_.nonzeros > 0;
    if (options_.coder == CodecOptions::Coder::huffman && any_nonzero && try_paper()) {
      return std::move(*best_);
    }
    if (any_zero && any_nonzero && zeros >= statistics_.elements / kRareZeros) try_sparse();
    if (!any_nonzero || statistics_.nonzeros >= statistics_.elements / kRareNonzeros) try_all();
    return std::move(*best_);
  }

 private:
  void keep(Positions positions, const CodedValues& values, const Bytes& before) {
    if (best_ && before.size() + values.bytes.size() >= best_->bytes.size()) return;
    best_ = {{.width_bytes = width_, .positions = positions, .values = values.coding}, before};
    append(best_->bytes, values.bytes);
  }

  void try_all() {
    const std::optional<Codes> codes = codes_of_all();
    keep(Positions::all,
         choose_values({.elements = elements_,
                        .width_bytes = width_,
                        .codes = codes ? &*codes : nullptr,
                        .positions = {},
                        .geometry = geometry_},
                       rules_),
         {});
  }

  void try_sparse() {
    const Bytes stored = nonzero_elements();
    const CodedValues values =
        choose_values({.elements = stored,
                       .width_bytes = width_,
                       .codes = statistics_.codes ? &*statistics_.codes : nullptr,
                       .positions = statistics_.positions,
                       .geometry = geometry_},
                      rules_);
    if (rules_.fixed) {
      Bytes before = begin_entries(statistics_.nonzeros);
      append(before, bitmask());
      keep(Positions::bitmask, values, before);
    }
    if (rules_.adaptive) {
      Bytes before = begin_entries(statistics_.nonzeros);
      append_geometry(before, geometry_);
      const Bytes stream =
          encode_context_positions(statistics_.positions, statistics_.elements, geometry_);
      append_varint(before, stream.size());
      append(before, stream);
      keep(Positions::contexts, values, before);
    }
    if (rules_.fixed) try_relative();
  }

  void try_relative() {
    if (least_relative_bytes() >= static_cast<double>(best_->bytes.size())) return;
    const uint64_t entries = statistics_.nonzeros + statistics_.relative.fillers;
    const RelativeEntries relative =
        relative_entries(statistics_.positions, statistics_.relative.index_bits);
    const CodedValues values = values_with_fillers(relative);
    for (const IndexCoding coding : {IndexCoding::packed, IndexCoding::huffman}) {
      Bytes before = begin_entries(entries);
      append(before, encode_relative(relative, statistics_.relative, coding));
      keep(Positions::relative, values, before);
    }
  }

  // Indices, and codes at their entropy: what relative indices can't do with less than.
  double least_relative_bytes() const {
    const auto index_bits = static_cast<double>(
        std::min(statistics_.relative.packed_bits, statistics_.relative.huffman_bits));
    if (!statistics_.codes) return index_bits / 8;
    std::vector<uint64_t> counts = statistics_.codes->counts;
    counts.push_back(statistics_.relative.fillers);
    return (index_bits + entropy_bits(counts)) / 8;
  }

  // The paper's storage, wherever it is smaller than the elements themselves.
  bool try_paper() {
    if (!statistics_.codes) return false;
    std::vector<uint32_t> every;
    if (statistics_.positions.empty()) {
      every.resize(statistics_.elements);
      std::iota(every.begin(), every.end(), uint32_t{0});
    }
    const RelativeEntries relative = relative_entries(every.empty() ? statistics_.positions : every,
                                                      statistics_.relative.index_bits);
    const Codes codes = with_fillers(*statistics_.codes, relative.filler);
    Bytes before = begin_entries(codes.codes.size());
    append(before, encode_relative(relative, statistics_.relative, IndexCoding::huffman));
    keep(Positions::relative, huffman_values(codes, width_), before);
    if (best_->bytes.size() < elements_.size()) return true;
    best_.reset();
    return false;
  }

  CodedValues values_with_fillers(const RelativeEntries& relative) {
    const auto width = static_cast<size_t>(width_);
    if (statistics_.codes) {
      const Codes codes = with_fillers(*statistics_.codes, relative.filler);
      return huffman_values(codes, width_);
    }
    Bytes stored;
    auto next = statistics_.positions.begin();
    for (const bool filler : relative.filler) {
      if (filler) {
        stored.resize(stored.size() + width);
      } else {
        append(stored, elements_.subspan(*next++ * width, width));
      }
    }
    return choose_values({.elements = stored,
                          .width_bytes = width_,
                          .codes = nullptr,
                          .positions = {},
                          .geometry = geometry_},
                         rules_);
  }

  static Bytes begin_entries(uint64_t entries) {
    Bytes bytes;
    append_varint(bytes, entries);
    return bytes;
  }

  Bytes bitmask() const {
    Bytes mask((statistics_.elements + 7) / 8);
    for (const uint32_t position : statistics_.positions) {
      mask[position / 8] |= static_cast<std::byte>(1 << position % 8);
    }
    return mask;
  }

  Bytes nonzero_elements() const {
    const auto width = static_cast<size_t>(width_);
    Bytes stored(statistics_.positions.size() * width);
    for (size_t i = 0; i < statistics_.positions.size(); ++i) {
      std::memcpy(stored.data() + i * width, elements_.data() + statistics_.positions[i] * width,
                  width);
    }
    return stored;
  }

  // Codes with zero as a value like any other.
  std::optional<Codes> codes_of_all() const {
    if (!statistics_.codes || statistics_.nonzeros == statistics_.elements)
      return statistics_.codes;
    if (statistics_.codes->codebook.size() == kMaxCodebook) return std::nullopt;
    Codes all = *statistics_.codes;
    const uint32_t zero_key = order_key(0, 8 * width_);
    const auto place =
        std::find_if(all.codebook.begin(), all.codebook.end(),
                     [&](uint32_t pattern) { return order_key(pattern, 8 * width_) > zero_key; });
    const auto zero = static_cast<uint16_t>(place - all.codebook.begin());
    all.codebook.insert(place, 0);
    all.counts.insert(all.counts.begin() + zero, statistics_.elements - statistics_.nonzeros);
    all.codes.assign(statistics_.elements, zero);
    for (size_t i = 0; i < statistics_.positions.size(); ++i) {
      const uint16_t code = statistics_.codes->codes[i];
      all.codes[statistics_.positions[i]] = static_cast<uint16_t>(code < zero ? code : code + 1);
    }
    return all;
  }

  std::span<const std::byte> elements_;
  int width_;
  CodecOptions options_;
  Rules rules_;
  Geometry geometry_;
  TensorStatistics statistics_;
  std::optional<Body> best_;
};

// Elements of 8 or 16 bytes, or too many for positions of 32 bits: as one value, or by planes.
Body best_of_wide(const Tensor& tensor, const CodecOptions& options) {
  const auto elements = tensor.bytes();
  const auto width = size_of(tensor.dtype());
  Storage storage{.width_bytes = static_cast<int>(width)};
  const auto first = elements.first(width);
  bool constant = true;
  for (size_t at = width; at < elements.size() && constant; at += width) {
    constant = std::memcmp(first.data(), elements.data() + at, width) == 0;
  }
  if (constant) {
    storage.values = ValueCoding::constant;
    return {storage, {first.begin(), first.end()}};
  }
  CodedValues values = choose_values({.elements = elements,
                                      .width_bytes = storage.width_bytes,
                                      .codes = nullptr,
                                      .positions = {},
                                      .geometry = {}},
                                     rules_of(options.coder));
  storage.values = values.coding;
  return {storage, std::move(values.bytes)};
}

TensorReport account_for_wide(const Tensor& tensor) {
  TensorReport report;
  report.elements = tensor.size();
  const auto width = size_of(tensor.dtype());
  for (size_t at = 0; at < tensor.bytes().size(); at += width) {
    const auto element = tensor.bytes().subspan(at, width);
    report.nonzeros += std::any_of(element.begin(), element.end(),
                                   [](std::byte byte) { return byte != std::byte{0}; });
  }
  report.distinct = -1;
  report.p_bits = report.pq_bits = report.pqh_bits = report.bound_bits =
      8.0 * static_cast<double>(tensor.bytes().size());
  return report;
}

}  // namespace

TensorSection encode_tensor(const Tensor& tensor, const CodecOptions& options) {
  const auto count = static_cast<uint64_t>(tensor.size());
  TensorSection section;
  Body body;
  if (size_of(tensor.dtype()) <= 4 && count <= kMaxPositions) {
    Choice choice(tensor, options);
    body = choice.best();
    section.report = account(choice.statistics(), static_cast<int>(size_of(tensor.dtype())));
  } else {
    body = best_of_wide(tensor, options);
    section.report = account_for_wide(tensor);
  }
  section.report.storage = name_of(body.storage);
  append_head(section.bytes, body.storage, count);
  append(section.bytes, body.bytes);
  const uint64_t least = (count + kMaxExpansion - 1) / kMaxExpansion;
  if (section.bytes.size() < least) section.bytes.resize(least);
  return section;
}

}  // namespace coppice::codec
