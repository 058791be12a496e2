// See decompress.h. gzip through zlib, xz through liblzma, both as an `Unpacker` that fills a given
// piece of memory; `unpack_with` owns the growing result and the limit.
#include "data/files/decompress.h"

#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "data/in_quotes.h"

namespace coppice {
namespace {

constexpr size_t kHeadBytes = 16;
constexpr size_t kFirstBytes = size_t{1} << 20;
// xz -9 needs 65 MiB; a header that asks for gigabytes is refused before they are allocated.
constexpr uint64_t kLzmaMemoryBytes = uint64_t{256} << 20;
// zlib counts in 32 bits.
constexpr size_t kZlibPieceBytes = size_t{1} << 30;

constexpr unsigned char kGzipMagic[] = {0x1f, 0x8b};
constexpr unsigned char kXzMagic[] = {0xfd, '7', 'z', 'X', 'Z', 0};

template <size_t N>
bool starts_with(std::span<const std::byte> bytes, const unsigned char (&magic)[N]) {
  return bytes.size() >= N && std::memcmp(bytes.data(), magic, N) == 0;
}

[[noreturn]] void fail_truncated(const std::string& where, size_t packed, size_t unpacked) {
  fail_input(where + ": truncated, its " + std::to_string(packed) + " bytes end after " +
             std::to_string(unpacked) + " unpacked ones; copy or download it again");
}

class GzipUnpacker {
 public:
  GzipUnpacker(std::span<const std::byte> packed, const std::string& where)
      : packed_(packed), where_(where) {
    constexpr int kWindowBitsGzip = 15 + 16;
    COPPICE_CHECK(inflateInit2(&stream_, kWindowBitsGzip) == Z_OK, "zlib does not start");
  }
  ~GzipUnpacker() { inflateEnd(&stream_); }
  GzipUnpacker(const GzipUnpacker&) = delete;
  GzipUnpacker& operator=(const GzipUnpacker&) = delete;

  // Bytes written to `target`; fewer than its size only at the end of the data.
  size_t fill(std::span<std::byte> target) {
    size_t done = 0;
    while (done < target.size() && !finished_) {
      stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed_.data() + used_));
      stream_.avail_in = static_cast<uInt>(std::min(packed_.size() - used_, kZlibPieceBytes));
      stream_.next_out = reinterpret_cast<Bytef*>(target.data() + done);
      stream_.avail_out = static_cast<uInt>(std::min(target.size() - done, kZlibPieceBytes));
      const uInt in_before = stream_.avail_in, out_before = stream_.avail_out;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      used_ += in_before - stream_.avail_in;
      done += out_before - stream_.avail_out;
      if (status == Z_STREAM_END) {
        end_member();
      } else if (status == Z_BUF_ERROR && used_ == packed_.size()) {
        fail_truncated(where_, packed_.size(), total_ + done);
      } else if (status != Z_OK) {
        fail_input(where_ + ": corrupt gzip data after " + std::to_string(used_) + " of " +
                   std::to_string(packed_.size()) + " bytes (" +
                   (stream_.msg ? stream_.msg : "unknown error") + "); copy or download it again");
      }
    }
    total_ += done;
    return done;
  }

 private:
  // A gzip file may consist of several members, one after the other.
  void end_member() {
    if (used_ == packed_.size()) {
      finished_ = true;
    } else if (starts_with(packed_.subspan(used_), kGzipMagic)) {
      inflateReset(&stream_);
    } else {
      fail_input(where_ + ": corrupt, " + std::to_string(packed_.size() - used_) +
                 " bytes follow the end of its gzip data, expected 0");
    }
  }

  std::span<const std::byte> packed_;
  const std::string& where_;
  z_stream stream_{};
  size_t used_ = 0, total_ = 0;
  bool finished_ = false;
};

class XzUnpacker {
 public:
  XzUnpacker(std::span<const std::byte> packed, const std::string& where)
      : packed_bytes_(packed.size()), where_(where) {
    COPPICE_CHECK(lzma_stream_decoder(&stream_, kLzmaMemoryBytes, LZMA_CONCATENATED) == LZMA_OK,
                  "liblzma does not start");
    stream_.next_in = reinterpret_cast<const uint8_t*>(packed.data());
    stream_.avail_in = packed.size();
  }
  ~XzUnpacker() { lzma_end(&stream_); }
  XzUnpacker(const XzUnpacker&) = delete;
  XzUnpacker& operator=(const XzUnpacker&) = delete;

  size_t fill(std::span<std::byte> target) {
    stream_.next_out = reinterpret_cast<uint8_t*>(target.data());
    stream_.avail_out = target.size();
    while (stream_.avail_out > 0 && !finished_) {
      const lzma_ret status = lzma_code(&stream_, LZMA_FINISH);
      if (status == LZMA_STREAM_END) {
        finished_ = true;
      } else if (status == LZMA_BUF_ERROR) {
        fail_truncated(where_, packed_bytes_, stream_.total_out);
      } else if (status != LZMA_OK) {
        fail(status);
      }
    }
    return target.size() - stream_.avail_out;
  }

 private:
  [[noreturn]] void fail(lzma_ret status) {
    if (status == LZMA_MEM_ERROR) throw std::bad_alloc();
    if (status == LZMA_MEMLIMIT_ERROR) {
      fail_input(where_ + ": unpacking needs " + std::to_string(lzma_memusage(&stream_) >> 20) +
                 " MiB of memory, expected at most " + std::to_string(kLzmaMemoryBytes >> 20) +
                 "; pack it with xz -9 or less");
    }
    fail_input(where_ + ": corrupt xz data after " + std::to_string(stream_.total_in) + " of " +
               std::to_string(packed_bytes_) + " bytes; copy or download it again");
  }

  size_t packed_bytes_;
  const std::string& where_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool finished_ = false;
};

[[noreturn]] void fail_too_large(const std::string& where, const std::string& found, size_t limit) {
  fail_input(where + ": " + found + " bytes, expected at most " + std::to_string(limit) +
             "; is it the right file, and whole?");
}

// Unpacks until the end or until one byte more than the limit.
template <typename Unpacker>
Buffer unpack_with(const Buffer& packed, const std::string& where, const UnpackLimit& limit) {
  Unpacker unpacker(packed.bytes(), where);
  std::byte head[kHeadBytes];
  size_t size = unpacker.fill(head);
  const size_t most = limit({head, size});
  if (size > most) fail_too_large(where, "more than " + std::to_string(most), most);

  // Typical ratios are below 8, so that the memory seldom grows; untouched pages cost nothing.
  size_t capacity = std::max(size, std::min(most, std::max(kFirstBytes, 8 * packed.size)));
  std::shared_ptr<std::byte[]> memory = std::make_unique_for_overwrite<std::byte[]>(capacity);
  std::memcpy(memory.get(), head, size);
  while (true) {
    size += unpacker.fill({memory.get() + size, capacity - size});
    if (size < capacity || capacity >= most) break;
    const size_t larger = std::min(most, 2 * capacity);
    std::shared_ptr<std::byte[]> grown = std::make_unique_for_overwrite<std::byte[]>(larger);
    std::memcpy(grown.get(), memory.get(), size);
    memory = std::move(grown);
    capacity = larger;
  }
  // Also makes the unpacker verify the checksum at the end.
  std::byte beyond;
  if (size == most && unpacker.fill({&beyond, 1}) > 0) {
    fail_too_large(where, "unpacks to more than " + std::to_string(most), most);
  }
  return {std::shared_ptr<std::byte>(memory, memory.get()), size};
}

}  // namespace

Buffer unpack(const Buffer& packed, const std::string& where, const UnpackLimit& limit) {
  const std::span<const std::byte> bytes = packed.bytes();
  if (starts_with(bytes, kGzipMagic)) return unpack_with<GzipUnpacker>(packed, where, limit);
  if (starts_with(bytes, kXzMagic)) return unpack_with<XzUnpacker>(packed, where, limit);
  const size_t most = limit(bytes.first(std::min(bytes.size(), kHeadBytes)));
  if (packed.size > most) fail_too_large(where, std::to_string(packed.size), most);
  return packed;
}

Buffer read_unpacked(const std::filesystem::path& file, const UnpackLimit& limit) {
  constexpr size_t kMostFileBytes = size_t{8} << 30;
  return unpack(read_at_most(file, kMostFileBytes), in_quotes(file), limit);
}

Buffer read_at_most(const std::filesystem::path& file, size_t most_bytes) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(file, error);
  if (!error && size > most_bytes) {
    fail_too_large(in_quotes(file), std::to_string(size), most_bytes);
  }
  return read_file(file);
}

std::vector<std::filesystem::path> find_packed_files(const std::filesystem::path& folder,
                                                     std::span<const std::string> names) {
  std::string looked_for;
  for (const std::string& name : names) {
    looked_for += (looked_for.empty() ? "'" : ", '") + name + "'";
  }
  looked_for += " (plain, .gz or .xz)";
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    fail_input(in_quotes(folder) + ": no such folder; expected one that holds " + looked_for);
  }
  std::vector<std::filesystem::path> files;
  for (const std::string& name : names) {
    const size_t before = files.size();
    for (const char* ending : {"", ".gz", ".xz"}) {
      const std::filesystem::path file = folder / (name + ending);
      if (files.size() == before && std::filesystem::is_regular_file(file, ignored)) {
        files.push_back(file);
      }
    }
    if (files.size() == before) {
      fail_input(in_quotes(folder) + ": has no '" + name + "'; expected " + looked_for);
    }
  }
  return files;
}

}  // namespace coppice
