#include "onnx/wire.h"

#include <cstdint>

#include "core/error.h"

namespace coppice {
namespace {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kDelimited = 2, kFixed32 = 5 };

[[noreturn]] void fail_damaged() {
  fail_input(
      "not an ONNX model, or cut short: its bytes are no complete protobuf message; export or copy "
      "the file again");
}

// Base-128 number at `position`, which is moved behind it.
uint64_t read_varint(std::span<const std::byte> bytes, size_t& position) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (position >= bytes.size()) fail_damaged();
    const auto byte = static_cast<uint64_t>(bytes[position++]);
    value |= (byte & 127) << shift;
    if (byte < 128) return value;
  }
  fail_damaged();
}

}  // namespace

void for_each_field(std::span<const std::byte> message,
                    const std::function<void(const WireField&)>& visit) {
  size_t position = 0;
  while (position < message.size()) {
    const size_t start = position;
    const uint64_t tag = read_varint(message, position);
    WireField field;
    field.number = static_cast<int>(tag >> 3);
    if (field.number <= 0 || tag >> 32 != 0) fail_damaged();
    size_t length = 0;
    switch (tag & 7) {
      case kVarint: read_varint(message, position); break;
      case kFixed64: length = 8; break;
      case kFixed32: length = 4; break;
      case kDelimited:
        length = read_varint(message, position);
        field.delimited = true;
        break;
      default: fail_damaged();
    }
    if (length > message.size() - position) fail_damaged();
    if (field.delimited) field.payload = message.subspan(position, length);
    position += length;
    field.whole = message.subspan(start, position - start);
    visit(field);
  }
}

}  // namespace coppice
