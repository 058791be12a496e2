// Bytes out and in: what every section of a container is written with and read by.
//
// Numbers are varints: seven bits a byte, lowest first, the top bit set on all but the last byte;
// the shortest form is the only one. ByteReader is made for hostile files: it gives out only what
// is there, so whoever allocates does so after the bytes that justify it were seen.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace coppice::codec {

static_assert(std::endian::native == std::endian::little, "tensor bytes are little-endian");

using Bytes = std::vector<std::byte>;

void append(Bytes& bytes, std::span<const std::byte> more);
void append_varint(Bytes& bytes, uint64_t number);
// The `width` low bytes of `number`, lowest first.
void append_fixed(Bytes& bytes, uint64_t number, int width);

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  size_t left() const { return rest_.size(); }
  // Each throws Error::input ("ends early: ...") where fewer bytes are left.
  std::span<const std::byte> take(uint64_t bytes);
  std::span<const std::byte> rest() { return take(left()); }
  uint8_t byte() { return static_cast<uint8_t>(take(1)[0]); }
  uint64_t fixed(int width);
  // Throws Error::input, too, for a number beyond 64 bits or not in its shortest form.
  uint64_t varint();
  // A varint that must lie in [0, most]; `what` names it: "rows is 9, expected at most 4".
  uint64_t varint(uint64_t most, const char* what);

 private:
  std::span<const std::byte> rest_;
};

}  // namespace coppice::codec
