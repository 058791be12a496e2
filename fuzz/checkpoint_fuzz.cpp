// Any bytes as a checkpoint, with the checksum put right: only Error may come out, and what is read
// fits together (the masks lie on the graph).

#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "core/error.h"
#include "prune/masks/masks.h"
#include "session/state/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coppice;
  Sha256 sum;
  sum.update(std::as_bytes(std::span(data, size)));
  const std::string digits = sum.hex();
  const size_t all = size + digits.size();
  const std::shared_ptr<std::byte> bytes(new std::byte[all], std::default_delete<std::byte[]>());
  std::memcpy(bytes.get(), data, size);
  std::memcpy(bytes.get() + size, digits.data(), digits.size());
  try {
    SessionState state = parse_checkpoint({bytes, all});
    apply_masks(state.graph, state.masks);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) __builtin_trap();
  }
  return 0;
}
