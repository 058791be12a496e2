// See bytes.h.
#include "codec/coders/bytes.h"

#include <string>

#include "core/error.h"

namespace coppice::codec {

void append(Bytes& bytes, std::span<const std::byte> more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

void append_varint(Bytes& bytes, uint64_t number) {
  for (; number >= 0x80; number >>= 7) bytes.push_back(static_cast<std::byte>(number | 0x80));
  bytes.push_back(static_cast<std::byte>(number));
}

void append_fixed(Bytes& bytes, uint64_t number, int width) {
  const auto* begin = reinterpret_cast<const std::byte*>(&number);
  bytes.insert(bytes.end(), begin, begin + width);
}

std::span<const std::byte> ByteReader::take(uint64_t bytes) {
  if (bytes > rest_.size()) {
    fail_input("ends early: " + std::to_string(rest_.size()) + " bytes are left, expected " +
               std::to_string(bytes));
  }
  const auto taken = rest_.first(bytes);
  rest_ = rest_.subspan(bytes);
  return taken;
}

uint64_t ByteReader::fixed(int width) {
  uint64_t number = 0;
  std::memcpy(&number, take(static_cast<uint64_t>(width)).data(), static_cast<size_t>(width));
  return number;
}

uint64_t ByteReader::varint() {
  uint64_t number = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint64_t next = byte();
    const uint64_t bits = next & 0x7f;
    if (shift == 63 && bits > 1) break;
    number |= bits << shift;
    if (next < 0x80) {
      if (next == 0 && shift > 0) fail_input("a number has a zero last byte, expected none");
      return number;
    }
  }
  fail_input("a number is longer than 64 bits");
}

uint64_t ByteReader::varint(uint64_t most, const char* what) {
  const uint64_t number = varint();
  if (number > most) {
    fail_input(std::string(what) + " is " + std::to_string(number) + ", expected at most " +
               std::to_string(most));
  }
  return number;
}

}  // namespace coppice::codec
