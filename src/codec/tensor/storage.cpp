// See storage.h.
#include "codec/tensor/storage.h"

#include <algorithm>
#include <bit>

#include "codec/coders/code_streams.h"
#include "codec/coders/context_positions.h"
#include "codec/coders/half.h"
#include "codec/coders/planes.h"
#include "codec/coders/relative_index.h"
#include "codec/container/codec.h"
#include "codec/tensor/codebook.h"
#include "core/error.h"

namespace coppice::codec {
namespace {

constexpr uint64_t kMaxElements = uint64_t{1} << 48;         // sizes in bytes can't overflow
constexpr uint64_t kMaxPositions = (uint64_t{1} << 32) - 1;  // they are kept in 32 bits

TensorHead take_head(ByteReader& reader, size_t section_bytes) {
  const uint8_t head = reader.byte();
  const int log_width = head & 7;
  TensorHead result;
  result.storage = {.width_bytes = 1 << log_width,
                    .positions = static_cast<Positions>(head >> 3 & 3),
                    .values = static_cast<ValueCoding>(head >> 5)};
  const auto [width, positions, values] = result.storage;
  const bool codebook = values >= ValueCoding::packed;
  if (log_width > 4 || values > ValueCoding::contexts ||
      (width > 4 && (positions != Positions::all || codebook)) ||
      (values == ValueCoding::half && width != 4) ||
      (values == ValueCoding::planes && width > kMaxPlanes) ||
      (values == ValueCoding::contexts && positions == Positions::relative)) {
    fail_input("storage " + std::to_string(head) + ", expected one of this version");
  }
  result.elements = reader.varint(kMaxElements, "elements");
  if (result.elements == 0) fail_input("0 elements, expected at least 1");
  if (result.elements > kMaxExpansion * section_bytes) {
    fail_input(std::to_string(result.elements) + " elements in " + std::to_string(section_bytes) +
               " bytes, expected at most " + std::to_string(kMaxExpansion) + " a byte");
  }
  const bool narrow = positions != Positions::all || values == ValueCoding::contexts;
  if (narrow && result.elements > kMaxPositions) {
    fail_input(std::to_string(result.elements) + " elements, expected less than 2^32");
  }
  return result;
}

PositionList decode_bitmask(ByteReader& reader, uint64_t entries, uint64_t elements) {
  const auto mask = reader.take((elements + 7) / 8);
  PositionList list(entries);
  const auto positions = list.span();
  uint64_t found = 0;
  for (uint64_t byte = 0; byte < mask.size(); ++byte) {
    for (auto bits = static_cast<uint32_t>(mask[byte]); bits != 0; bits &= bits - 1) {
      const uint64_t position = 8 * byte + static_cast<uint64_t>(std::countr_zero(bits));
      if (found == entries || position >= elements) {
        fail_input("the bitmask has more than " + std::to_string(entries) + " bits set");
      }
      positions[found++] = static_cast<uint32_t>(position);
    }
  }
  if (found < entries) {
    fail_input("the bitmask has " + std::to_string(found) + " bits set, expected " +
               std::to_string(entries));
  }
  return list;
}

PositionList take_positions(ByteReader& reader, const TensorHead& head, uint64_t entries) {
  switch (head.storage.positions) {
    case Positions::bitmask: return decode_bitmask(reader, entries, head.elements);
    case Positions::relative: return decode_relative(reader, entries, head.elements);
    default: break;
  }
  const Geometry geometry = take_geometry(reader, head.elements);
  const auto stream = reader.take(reader.varint());
  return decode_context_positions(stream, entries, head.elements, geometry);
}

void take_raw(ByteReader& reader, const Entries& entries) {
  const auto width = static_cast<size_t>(entries.width_bytes);
  const auto bytes = reader.take(entries.count * width);
  if (!entries.positions) {
    std::memcpy(entries.elements, bytes.data(), bytes.size());
    return;
  }
  for (uint64_t i = 0; i < entries.count; ++i) {
    std::memcpy(entries.at(i), bytes.data() + i * width, width);
  }
}

void take_halves(ByteReader& reader, const Entries& entries) {
  const auto bytes = reader.take(entries.count * 2);
  for (uint64_t i = 0; i < entries.count; ++i) {
    uint16_t half;
    std::memcpy(&half, bytes.data() + 2 * i, 2);
    const uint32_t pattern = float_of_half(half);
    std::memcpy(entries.at(i), &pattern, 4);
  }
}

void take_constant(ByteReader& reader, const Entries& entries) {
  const auto width = static_cast<size_t>(entries.width_bytes);
  const auto element = reader.take(width);
  for (uint64_t i = 0; i < entries.count; ++i) std::memcpy(entries.at(i), element.data(), width);
}

void take_codes(ByteReader& reader, const TensorHead& head, const Entries& entries) {
  Codebook patterns = take_codebook(reader, entries.count, entries.width_bytes);
  if (head.storage.positions == Positions::relative) patterns.insert(patterns.begin(), 0);
  switch (head.storage.values) {
    case ValueCoding::packed: return decode_packed(reader.rest(), patterns, entries);
    case ValueCoding::huffman: return decode_huffman(reader, patterns, entries);
    default: break;
  }
  const Geometry geometry = take_geometry(reader, head.elements);
  decode_context(reader.rest(), patterns, entries, geometry);
}

void take_values(ByteReader& reader, const TensorHead& head, const Entries& entries) {
  switch (head.storage.values) {
    case ValueCoding::raw: return take_raw(reader, entries);
    case ValueCoding::half: return take_halves(reader, entries);
    case ValueCoding::planes: return decode_planes(reader, entries);
    case ValueCoding::constant: return take_constant(reader, entries);
    default: return take_codes(reader, head, entries);
  }
}

}  // namespace

std::string name_of(const Storage& storage) {
  constexpr const char* kPositions[] = {"", "bitmask, ", "relative indices, ", "contexts, "};
  constexpr const char* kValues[] = {
      "raw",          "float16",          "byte planes",      "one value",
      "packed codes", "codes by Huffman", "codes by contexts"};
  return std::string(kPositions[static_cast<size_t>(storage.positions)]) +
         kValues[static_cast<size_t>(storage.values)];
}

void append_head(Bytes& bytes, const Storage& storage, uint64_t elements) {
  const auto log_width = std::countr_zero(static_cast<uint32_t>(storage.width_bytes));
  bytes.push_back(static_cast<std::byte>(log_width | static_cast<int>(storage.positions) << 3 |
                                         static_cast<int>(storage.values) << 5));
  append_varint(bytes, elements);
}

TensorHead parse_head(std::span<const std::byte> section) {
  ByteReader reader(section);
  return take_head(reader, section.size());
}

void decode_tensor(std::span<const std::byte> section, std::span<std::byte> elements) {
  ByteReader reader(section);
  const TensorHead head = take_head(reader, section.size());
  COPPICE_CHECK(elements.size() == head.bytes(), "a tensor's bytes have its section's size");
  Entries entries{
      .elements = elements.data(), .width_bytes = head.storage.width_bytes, .count = head.elements};
  PositionList positions(0);
  if (head.storage.positions != Positions::all) {
    entries.count = reader.varint(head.elements, "entries");
    if (entries.count == 0) fail_input("0 entries, expected at least 1");
    positions = take_positions(reader, head, entries.count);
    entries.positions = positions.span().data();
    std::memset(elements.data(), 0, elements.size());
  }
  take_values(reader, head, entries);
}

}  // namespace coppice::codec
