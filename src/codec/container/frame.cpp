// See frame.h.
#include "codec/container/frame.h"

#include <xxhash.h>

#include "core/error.h"

namespace coppice::codec {

uint32_t checksum(std::span<const std::byte> bytes) {
  return static_cast<uint32_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

Bytes framed(std::span<const std::byte> payload) {
  Bytes bytes;
  for_each_piece(payload, [&](std::span<const std::byte> piece) { append(bytes, piece); });
  return bytes;
}

std::span<const std::byte> take_section(ByteReader& reader) {
  const auto payload = reader.take(reader.varint());
  const auto stored = static_cast<uint32_t>(reader.fixed(4)), found = checksum(payload);
  if (stored != found) {
    fail_input("its checksum is " + std::to_string(found) + ", expected " + std::to_string(stored) +
               "; the file was cut short or changed");
  }
  return payload;
}

}  // namespace coppice::codec
