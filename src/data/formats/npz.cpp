// See npz.h. The zip is libzip's to write: arrays are put together in memory, and compressed when
// the archive is closed.
#include "data/formats/npz.h"

#include <zip.h>

#include <memory>
#include <vector>

#include "core/error.h"
#include "data/formats/npy.h"

namespace coppice {
namespace {

// The first that a zip can say: 1 January 1980.
constexpr zip_uint16_t kDate = (1 << 5) | 1, kTime = 0;

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& reason) {
  fail_input("can't write '" + path.string() + "': " + reason);
}

std::string npy_file(const Tensor& array) {
  std::string bytes = npy_header(array);
  bytes.append(reinterpret_cast<const char*>(array.bytes().data()), array.bytes().size());
  return bytes;
}

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, Discard>;

Archive open(const std::filesystem::path& path) {
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (archive) return archive;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  fail(path, reason);
}

// `bytes` must live until the archive is closed.
void add(const Archive& archive, const std::string& name, const std::string& bytes,
         const std::filesystem::path& path) {
  zip_source_t* const source = zip_source_buffer(archive.get(), bytes.data(), bytes.size(), 0);
  if (!source) fail(path, zip_strerror(archive.get()));
  // A name that isn't UTF-8 is written as the bytes that it is.
  zip_int64_t entry = zip_file_add(archive.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (entry < 0) entry = zip_file_add(archive.get(), name.c_str(), source, ZIP_FL_ENC_CP437);
  if (entry < 0) {
    zip_source_free(source);
    fail(path, "'" + name + "': " + zip_strerror(archive.get()));
  }
  const auto at = static_cast<zip_uint64_t>(entry);
  if (zip_file_set_dostime(archive.get(), at, kTime, kDate, 0) < 0) {
    fail(path, zip_strerror(archive.get()));
  }
}

}  // namespace

void write_npz(const std::map<std::string, Tensor>& arrays, const std::filesystem::path& path) {
  std::vector<std::string> files;
  for (const auto& [name, array] : arrays) files.push_back(npy_file(array));
  Archive archive = open(path);
  size_t next = 0;
  for (const auto& [name, array] : arrays) add(archive, name + ".npy", files[next++], path);
  if (zip_close(archive.get()) < 0) fail(path, zip_strerror(archive.get()));
  archive.release();
}

}  // namespace coppice
