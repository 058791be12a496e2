// Whole files in and out. Reading gives one shared buffer that tensors may point into; writing goes
// to a temporary file beside the target and is renamed only when `commit` is called, so nobody ever
// sees half a file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coppice {

struct Buffer {
  std::shared_ptr<std::byte> data;
  size_t size = 0;
  std::span<const std::byte> bytes() const { return {data.get(), size}; }
};

// Bytes that nobody has written yet, on huge pages where they are many. Why: that makes a 100 MB
// read 2 to 3 times faster than malloc, whose 25,000 page faults cost more than the copy out of the
// page cache.
Buffer allocate_buffer(size_t size);

// Throws Error::input ("can't read '...': reason") for what is missing, a folder, or unreadable.
Buffer read_file(const std::filesystem::path& path);
std::string read_text(const std::filesystem::path& path);

class AtomicFile {
 public:
  // Creates the temporary file in the target's folder. Throws Error::input where that fails.
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();  // removes the temporary file unless committed
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // Throws Error::input with the reason, for example a full disk.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  // With its companion, if it has one.
  void commit();
  // A second file, which is committed and removed together with this one: "<target><suffix>".
  AtomicFile& companion(const std::string& suffix);
  // A file that is removed once this one is in its place.
  void removes_after(std::filesystem::path path) { obsolete_.push_back(std::move(path)); }
  const std::filesystem::path& target() const { return target_; }
  // Where the bytes are until `commit`; complete after `flush`.
  const std::filesystem::path& temporary() const { return temporary_; }

 private:
  std::filesystem::path target_, temporary_;
  int descriptor_ = -1;
  std::unique_ptr<AtomicFile> companion_;
  std::vector<std::filesystem::path> obsolete_;
};

void write_text(const std::filesystem::path& path, std::string_view text);

// Both name the same existing file, by whatever path.
bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);

// SHA-256 of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  std::string hex();  // 64 lower-case digits; ends the sum
 private:
  std::shared_ptr<void> context_;
};

// SHA-256 of a file's contents as 64 lower-case hexadecimal digits.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace coppice
