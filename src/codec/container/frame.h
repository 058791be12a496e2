// Sections of a container: a varint of the payload's bytes, the payload, and the low four bytes of
// its XXH3 (64 bits).
#pragma once

#include <string>

#include "codec/coders/bytes.h"

namespace coppice::codec {

uint32_t checksum(std::span<const std::byte> bytes);
// Calls `sink` with the three pieces of a section.
template <typename Sink>
void for_each_piece(std::span<const std::byte> payload, const Sink& sink) {
  Bytes size, sum;
  append_varint(size, payload.size());
  append_fixed(sum, checksum(payload), 4);
  sink(std::span<const std::byte>(size));
  sink(payload);
  sink(std::span<const std::byte>(sum));
}
Bytes framed(std::span<const std::byte> payload);
// The next section's payload. Throws Error::input where it ends early or its checksum is wrong.
std::span<const std::byte> take_section(ByteReader& reader);

}  // namespace coppice::codec
