// See npz.h. The zip is libzip's to read and write: arrays are put together in memory, and
// compressed when the archive is closed.
#include "data/formats/npz.h"

#include <zip.h>

#include <memory>
#include <vector>

#include "core/error.h"
#include "data/formats/npy.h"
#include "data/in_quotes.h"

namespace coppice {
namespace {

// The first that a zip can say: 1 January 1980.
constexpr zip_uint16_t kDate = (1 << 5) | 1, kTime = 0;

constexpr std::string_view kEnding = ".npy";

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

std::string reason_of(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  return reason;
}

Archive create(const std::filesystem::path& path) {
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (!archive) fail(path, reason_of(code));
  return archive;
}

Archive open(const Buffer& file) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const source = zip_source_buffer_create(file.data.get(), file.size, 0, &error);
  Archive archive(source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr);
  if (!archive && source) zip_source_free(source);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  if (!archive) fail_input("no npz archive: " + reason + "; write it with numpy.savez");
  return archive;
}

// Requires: `entry` says how large both are.
void require_justified(const zip_stat_t& entry) {
  constexpr uint64_t kMostExpansion = 1032;  // of deflate
  if (entry.size / kMostExpansion <= entry.comp_size) return;
  fail_input(std::to_string(entry.comp_size) + " bytes that unpack to " +
             std::to_string(entry.size) + ", expected at most " + std::to_string(kMostExpansion) +
             " times as many");
}

Buffer unpacked(const Archive& archive, zip_uint64_t index, const zip_stat_t& entry) {
  require_justified(entry);
  struct Close {
    void operator()(zip_file_t* file) const { zip_fclose(file); }
  };
  const std::unique_ptr<zip_file_t, Close> file(zip_fopen_index(archive.get(), index, 0));
  if (!file) fail_input(zip_strerror(archive.get()));
  Buffer bytes = allocate_buffer(entry.size);
  const zip_int64_t read = zip_fread(file.get(), bytes.data.get(), entry.size);
  if (read < 0) fail_input(zip_file_strerror(file.get()));
  if (static_cast<zip_uint64_t>(read) != entry.size) {
    fail_input(std::to_string(read) + " bytes, expected " + std::to_string(entry.size));
  }
  char more = 0;  // what is wrong at the end shows behind it: a checksum
  if (zip_fread(file.get(), &more, 1) < 0) fail_input(zip_file_strerror(file.get()));
  return bytes;
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
  files.reserve(arrays.size());
  for (const auto& [name, array] : arrays) files.push_back(npy_file(array));
  Archive archive = create(path);
  size_t next = 0;
  for (const auto& [name, array] : arrays)
    add(archive, name + std::string(kEnding), files[next++], path);
  if (zip_close(archive.get()) < 0) fail(path, zip_strerror(archive.get()));
  static_cast<void>(archive.release());
}

std::map<std::string, Tensor> read_npz(const std::filesystem::path& path) {
  const Buffer file = read_file(path);
  return within(in_quotes(path), [&] {
    const Archive archive = open(file);
    std::map<std::string, Tensor> arrays;
    const zip_int64_t entries = zip_get_num_entries(archive.get(), 0);
    for (zip_int64_t i = 0; i < entries; ++i) {
      const auto index = static_cast<zip_uint64_t>(i);
      zip_stat_t entry;
      constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
      if (zip_stat_index(archive.get(), index, ZIP_FL_ENC_RAW, &entry) < 0 ||
          (entry.valid & kNeeded) != kNeeded) {
        fail_input("file " + std::to_string(i + 1) + " of the archive is damaged");
      }
      std::string name = entry.name;
      if (name.ends_with(kEnding)) name.resize(name.size() - kEnding.size());
      const std::string where = "array '" + name + "'";
      Tensor array =
          parse_npy(within(where, [&] { return unpacked(archive, index, entry); }), where);
      if (!arrays.emplace(name, std::move(array)).second) {
        fail_input(where + " is there twice");
      }
    }
    return arrays;
  });
}

}  // namespace coppice
