#include "core/files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/paths/temporaries.h"

namespace coppice {
namespace {

struct Descriptor {
  explicit Descriptor(int descriptor) : value(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : value(std::exchange(other.value, -1)) {}
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
  int value;
};

[[noreturn]] void fail_system(const std::string& doing, const std::filesystem::path& path) {
  fail_input("can't " + doing + " '" + path.string() + "': " + std::strerror(errno));
}

size_t read_some(int file, std::span<std::byte> into, const std::filesystem::path& path) {
  while (true) {
    const ssize_t got = ::read(file, into.data(), into.size());
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) fail_system("read", path);
  }
}

Descriptor open_plain_file(const std::filesystem::path& path, struct stat& status) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.value < 0 || ::fstat(file.value, &status) != 0) fail_system("read", path);
  if (S_ISDIR(status.st_mode)) fail_input("can't read '" + path.string() + "': it is a folder");
  if (!S_ISREG(status.st_mode)) fail_input("can't read '" + path.string() + "': not a plain file");
  return file;
}

constexpr size_t kHugePage = size_t{2} << 20;

// Not from the heap: what is freed there may stay with the process, and what small things are then
// put between would take whole huge pages.
Buffer allocate_huge(size_t size) {
  const size_t rounded = (size / kHugePage + 1) * kHugePage, mapped = rounded + kHugePage;
  if (mapped < size) throw std::bad_alloc();
  void* const memory =
      ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::byte*>(memory);
  const size_t before = -reinterpret_cast<uintptr_t>(memory) % kHugePage;
  if (before > 0) ::munmap(begin, before);
  std::byte* const data = begin + before;
  ::munmap(data + rounded, kHugePage - before);
  ::madvise(data, rounded, MADV_HUGEPAGE);
  return {{data, [rounded](std::byte* bytes) { ::munmap(bytes, rounded); }}, size};
}

}  // namespace

Buffer allocate_buffer(size_t size) {
  if (size >= kHugePage) return allocate_huge(size);
  constexpr size_t kAlignment = 64;
  void* memory = std::aligned_alloc(kAlignment, (size / kAlignment + 1) * kAlignment);
  if (!memory) throw std::bad_alloc();
  return {{static_cast<std::byte*>(memory), std::free}, size};
}

Buffer read_file(const std::filesystem::path& path) {
  struct stat status {};
  const Descriptor file = open_plain_file(path, status);
  const size_t size = static_cast<size_t>(status.st_size);
  Buffer buffer = allocate_buffer(size);
  size_t done = 0;
  while (done < size) {
    const size_t got = read_some(file.value, {buffer.data.get() + done, size - done}, path);
    if (got == 0) fail_input("can't read '" + path.string() + "': it shrank while being read");
    done += got;
  }
  return buffer;
}

std::string read_text(const std::filesystem::path& path) {
  const Buffer buffer = read_file(path);
  return {reinterpret_cast<const char*>(buffer.data.get()), buffer.size};
}

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  if (std::filesystem::is_directory(target_)) {
    fail_input("can't write '" + target_.string() + "': it is a folder; name a file");
  }
  Temporary made = make_temporary_file(target_);
  descriptor_ = made.descriptor;
  temporary_ = std::move(made.path);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_system("write", target_);
    done += static_cast<size_t>(put);
  }
}

AtomicFile& AtomicFile::companion(const std::string& suffix) {
  if (!companion_) companion_ = std::make_unique<AtomicFile>(target_.string() + suffix);
  return *companion_;
}

void AtomicFile::commit() {
  if (companion_) companion_->commit();
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail_system("write", target_);
  ::close(descriptor_);
  descriptor_ = -1;
  for (const std::filesystem::path& path : obsolete_) ::unlink(path.c_str());
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

bool same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored);
}

Sha256::Sha256()
    : context_(EVP_MD_CTX_new(),
               [](void* context) { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }) {
  COPPICE_CHECK(context_ && EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_.get()),
                                              EVP_sha256(), nullptr) == 1,
                "SHA-256 can't start");
}

void Sha256::update(std::span<const std::byte> bytes) {
  auto* context = static_cast<EVP_MD_CTX*>(context_.get());
  COPPICE_CHECK(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1, "SHA-256 failed");
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  auto* context = static_cast<EVP_MD_CTX*>(context_.get());
  COPPICE_CHECK(EVP_DigestFinal_ex(context, digest, &length) == 1, "SHA-256 failed");
  std::string text;
  for (unsigned int i = 0; i < length; ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

std::string sha256_of_file(const std::filesystem::path& path) {
  struct stat status {};
  const Descriptor file = open_plain_file(path, status);
  Sha256 hash;
  std::vector<std::byte> chunk(size_t{1} << 18);
  while (const size_t got = read_some(file.value, chunk, path)) {
    hash.update({chunk.data(), got});
  }
  return hash.hex();
}

}  // namespace coppice
