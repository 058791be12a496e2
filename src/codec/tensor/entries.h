// Where decoded values go: the stored entries' places in a tensor's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "core/files.h"

namespace coppice::codec {

// Decoded positions, ascending. Not a vector, for the huge pages: page faults would cost as much as
// decoding.
class PositionList {
 public:
  explicit PositionList(uint64_t count)
      : buffer_(allocate_buffer(count * sizeof(uint32_t))),
        positions_(reinterpret_cast<uint32_t*>(buffer_.data.get()), count) {}
  std::span<uint32_t> span() { return positions_; }
  std::span<const uint32_t> span() const { return positions_; }

 private:
  Buffer buffer_;
  std::span<uint32_t> positions_;
};

// Entry i is the element positions[i], or element i where `positions` is null.
struct Entries {
  std::byte* elements = nullptr;
  int width_bytes = 4;
  uint64_t count = 0;
  const uint32_t* positions = nullptr;

  uint64_t position(uint64_t i) const { return positions ? positions[i] : i; }
  std::byte* at(uint64_t i) const {
    return elements + position(i) * static_cast<uint64_t>(width_bytes);
  }
};

// Calls visit(place) with a function place(i, pattern) that stores a pattern at entry i, made
// for just this width and kind of positions, so that loops over it are tight.
// Requires: width_bytes is 1, 2 or 4.
template <typename Visit>
void with_store(const Entries& entries, const Visit& visit) {
  const auto for_width = [&]<typename T>(T) {
    std::byte* const base = entries.elements;
    if (entries.positions) {
      const uint32_t* const positions = entries.positions;
      visit([=](uint64_t i, uint32_t pattern) {
        const T element = static_cast<T>(pattern);
        std::memcpy(base + positions[i] * sizeof(T), &element, sizeof(T));
      });
    } else {
      visit([=](uint64_t i, uint32_t pattern) {
        const T element = static_cast<T>(pattern);
        std::memcpy(base + i * sizeof(T), &element, sizeof(T));
      });
    }
  };
  if (entries.width_bytes == 1) return for_width(uint8_t{});
  if (entries.width_bytes == 2) return for_width(uint16_t{});
  for_width(uint32_t{});
}

}  // namespace coppice::codec
