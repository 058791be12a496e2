// Any bytes as a compressed container, with magic, version and every checksum put right: only Error
// may come out, and the file has the size that the header says.

#include <algorithm>
#include <memory>
#include <span>

#include "codec/container/codec.h"
#include "codec/container/frame.h"
#include "core/error.h"

namespace {

using namespace coppice;
using namespace coppice::codec;

// A section may stand for 16384 times its size; that shall take no time.
constexpr size_t kMostBytes = 1024;
constexpr size_t kStartBytes = 9;
constexpr uint8_t kStart[kStartBytes] = {0x89, 'C', 'P', 'C', '\r', '\n', 0x1a, '\n', 1};

Bytes with_right_checksums(std::span<const std::byte> data) {
  Bytes file;
  append(file, std::as_bytes(std::span(kStart)));
  ByteReader reader(data.subspan(std::min(data.size(), kStartBytes)));
  while (reader.left() > 0) {
    const uint64_t size = std::min<uint64_t>(reader.varint(), reader.left());
    append(file, framed(reader.take(size)));
    reader.take(std::min<uint64_t>(4, reader.left()));
  }
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > kMostBytes) return -1;
  try {
    const Bytes file = with_right_checksums(std::as_bytes(std::span(data, size)));
    const std::shared_ptr<std::byte> bytes(new std::byte[file.size()],
                                           std::default_delete<std::byte[]>());
    std::ranges::copy(file, bytes.get());
    decode({bytes, file.size()});
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) __builtin_trap();
  }
  return 0;
}
