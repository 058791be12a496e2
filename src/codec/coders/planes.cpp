// See planes.h.
#include "codec/coders/planes.h"

#include <array>
#include <bit>
#include <string>

#include "codec/coders/huffman.h"
#include "codec/coders/range_coder.h"
#include "core/error.h"

namespace coppice::codec {
namespace {

enum class PlaneCoding : uint8_t { raw, huffman, context };

uint64_t load(const std::byte* element, int width_bytes) {
  uint64_t bits = 0;
  std::memcpy(&bits, element, static_cast<size_t>(width_bytes));
  return bits;
}

uint64_t rotated_right(uint64_t bits, int width_bytes) {
  return bits >> 1 | (bits & 1) << (8 * width_bytes - 1);
}

// One byte after the other by the adaptive coder.
class ByteModels {
 public:
  AdaptiveBit& model(uint32_t node) { return models_[average_ >> 3 & 31][node]; }
  void saw(uint32_t byte) {
    average_ = static_cast<uint32_t>(static_cast<int32_t>(average_) +
                                     (static_cast<int32_t>(16 * byte - average_) >> 3));
  }

 private:
  std::vector<std::array<AdaptiveBit, 256>> models_ = std::vector<std::array<AdaptiveBit, 256>>(32);
  uint32_t average_ = 0;
};

Bytes context_coded(const std::vector<uint8_t>& plane) {
  ByteModels models;
  RangeEncoder encoder;
  for (const uint8_t byte : plane) {
    uint32_t node = 1;
    for (int i = 7; i >= 0; --i) {
      const bool bit = byte >> i & 1;
      encoder.put(models.model(node), bit);
      node = 2 * node + (bit ? 1 : 0);
    }
    models.saw(byte);
  }
  return encoder.finish();
}

void encode_plane(Bytes& bytes, const std::vector<uint8_t>& plane, PlaneCoders coders) {
  std::array<uint64_t, 256> counts{};
  for (const uint8_t byte : plane) ++counts[byte];
  const CodeLengths lengths = code_lengths(counts);
  Bytes table;
  append_lengths(table, lengths);
  const uint64_t huffman_bytes = table.size() + coded_bits(counts, lengths) / 8 + 2;
  // A plane that Huffman shortens by less than a thirtieth is noise, and not worth the time.
  if (huffman_bytes + plane.size() / 32 >= plane.size()) {
    bytes.push_back(static_cast<std::byte>(PlaneCoding::raw));
    append(bytes, std::as_bytes(std::span(plane)));
    return;
  }
  Bytes context;
  if (coders == PlaneCoders::all) context = context_coded(plane);
  if (coders == PlaneCoders::all && context.size() < huffman_bytes) {
    bytes.push_back(static_cast<std::byte>(PlaneCoding::context));
    append_varint(bytes, context.size());
    append(bytes, context);
    return;
  }
  BitWriter bits;
  const HuffmanEncoder encoder(lengths);
  for (const uint8_t byte : plane) encoder.put(bits, byte);
  const Bytes stream = bits.finish();
  bytes.push_back(static_cast<std::byte>(PlaneCoding::huffman));
  append(bytes, table);
  append_varint(bytes, stream.size());
  append(bytes, stream);
}

void decode_huffman_plane(ByteReader& reader, const Entries& entries, int plane) {
  const HuffmanDecoder decoder(take_lengths(reader, 256));
  BitReader bits(reader.take(reader.varint()));
  for (uint64_t i = 0; i < entries.count; ++i) {
    bits.refill();
    entries.at(i)[plane] = static_cast<std::byte>(decoder.get(bits));
  }
  if (bits.overrun()) fail_input("a plane ends early: expected " + std::to_string(entries.count));
}

void decode_context_plane(ByteReader& reader, const Entries& entries, int plane) {
  ByteModels models;
  RangeDecoder decoder(reader.take(reader.varint()));
  for (uint64_t i = 0; i < entries.count; ++i) {
    uint32_t node = 1;
    // Exponents differ in their low bits: the high ones can be guessed.
    while (node < 32) node = 2 * node + (decoder.get_skewed(models.model(node)) ? 1 : 0);
    while (node < 256) node = 2 * node + decoder.get(models.model(node));
    models.saw(node - 256);
    entries.at(i)[plane] = static_cast<std::byte>(node - 256);
  }
}

// Byte `p` of every element, rotated.
template <typename T>
void extract_plane(std::span<const std::byte> elements, int p, std::vector<uint8_t>& plane) {
  for (size_t i = 0; i < plane.size(); ++i) {
    T element;
    std::memcpy(&element, elements.data() + i * sizeof(T), sizeof(T));
    plane[i] = static_cast<uint8_t>(std::rotl(element, 1) >> (8 * p));
  }
}

}  // namespace

Bytes encode_planes(std::span<const std::byte> elements, int width_bytes, PlaneCoders coders) {
  Bytes bytes;
  bytes.reserve(elements.size());
  std::vector<uint8_t> plane(elements.size() / static_cast<size_t>(width_bytes));
  for (int p = 0; p < width_bytes; ++p) {
    if (width_bytes == 1) extract_plane<uint8_t>(elements, p, plane);
    if (width_bytes == 2) extract_plane<uint16_t>(elements, p, plane);
    if (width_bytes == 4) extract_plane<uint32_t>(elements, p, plane);
    if (width_bytes == 8) extract_plane<uint64_t>(elements, p, plane);
    encode_plane(bytes, plane, coders);
  }
  return bytes;
}

void decode_planes(ByteReader& reader, const Entries& entries) {
  for (int p = 0; p < entries.width_bytes; ++p) {
    within("plane " + std::to_string(p), [&] {
      const uint8_t coding = reader.byte();
      switch (static_cast<PlaneCoding>(coding)) {
        case PlaneCoding::raw: {
          const auto bytes = reader.take(entries.count);
          for (uint64_t i = 0; i < entries.count; ++i) entries.at(i)[p] = bytes[i];
          return;
        }
        case PlaneCoding::huffman: return decode_huffman_plane(reader, entries, p);
        case PlaneCoding::context: return decode_context_plane(reader, entries, p);
      }
      fail_input("coding " + std::to_string(coding) + ", expected 0 to 2");
    });
  }
  for (uint64_t i = 0; i < entries.count; ++i) {
    std::byte* element = entries.at(i);
    const uint64_t bits = rotated_right(load(element, entries.width_bytes), entries.width_bytes);
    std::memcpy(element, &bits, static_cast<size_t>(entries.width_bytes));
  }
}

}  // namespace coppice::codec
