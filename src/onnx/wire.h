// Protobuf's wire format, one level deep: the fields of a message as byte ranges, without copying.
//
// Why not just parse: protobuf would copy every initialiser into a string of its own, and refuses
// messages over 2 GB. Walking the model and the graph this way leaves the weights where they are.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace coppice {

struct WireField {
  int number = 0;
  std::span<const std::byte> whole;    // with its tag and length
  std::span<const std::byte> payload;  // of length-delimited fields; empty for others
  bool delimited = false;
};

// Throws Error::input where the bytes are no protobuf message or end too early.
void for_each_field(std::span<const std::byte> message,
                    const std::function<void(const WireField&)>& visit);

}  // namespace coppice
