// See output_path.h.
#include "tasks/parts/output_path.h"

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/paths/same_place.h"
#include "model/load.h"
#include "onnx/data_files.h"

namespace coppice {
namespace {

namespace fs = std::filesystem;

fs::path followed(const fs::path& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error)) return path;
  const fs::path target = fs::canonical(path, error);
  return error ? path : target;
}

void require_plain(const std::string& output) {
  std::error_code error;
  const auto status = fs::status(output, error);
  const bool plain = !fs::exists(status) || fs::is_regular_file(status) || fs::is_directory(status);
  if (!plain) fail_input("can't write '" + output + "': it is a device or pipe, expected a file");
}

// No data set reads files of such names: they are models, plans and containers of earlier runs.
bool is_no_data(const fs::path& path) {
  const fs::path ending = path.extension();
  return ending == ".onnx" || ending == ".coppice" || ending == ".json";
}

// Links lead out of the folder and back into it, so each file in it is looked at.
bool is_read_in(const fs::path& folder, const fs::path& path) {
  constexpr int kDeepest = 2;  // DIR/train/CLASS/PICTURE
  if (lies_within(path, folder)) return true;
  std::error_code error;
  using Options = fs::directory_options;
  fs::recursive_directory_iterator entry(
      folder, Options::follow_directory_symlink | Options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry.depth() >= kDeepest) entry.disable_recursion_pending();
    if (same_file(entry->path(), path)) return true;
  }
  return false;
}

// A folder is refused as such, by who writes.
void require_ending(const std::string& option, const std::string& output,
                    const std::string& ending) {
  std::error_code error;
  if (fs::path(output).extension() == ending || fs::is_directory(output, error)) return;
  const std::string why = output == "-" ? "there is no writing to standard output"
                                        : "the result is a " + ending + " file";
  fail_usage(
      option + " '" + output + "': " + why + ", expected a name such as " +
      (output == "-" ? "out" + ending : fs::path(output).replace_extension(ending).string()));
}

}  // namespace

void require_folder_of(const std::string& output) {
  const fs::path folder = fs::path(output).parent_path();
  std::error_code error;
  if (folder.empty() || fs::exists(folder, error) || error) return;
  fail_input("can't write '" + output + "': there is no folder '" + folder.string() +
             "'; make it first");
}

Places::Places(const CommonRequest& common) {
  for (const fs::path& file : common.reads) reads(file);
  if (common.run_folder.empty()) return;
  for (const char* name : {"run.json", "metrics.jsonl", "checkpoint"}) {
    reads(common.run_folder / name);
  }
}

void Places::reads_model(const std::string& model) {
  if (is_zoo_name(model)) return;
  reads(model);
  for (fs::path& file : data_files(model)) reads(std::move(file));
}

void Places::reads(const fs::path& path) { taken_.push_back(path); }

void Places::reads_data(const std::string& spec) {
  size_t begin = spec.find(':');
  std::error_code none;
  if (begin != std::string::npos && fs::is_directory(spec.substr(begin + 1), none)) {
    data_folder_ = spec.substr(begin + 1);
    return;
  }
  while (begin != std::string::npos) {
    const size_t end = spec.find(',', ++begin);
    const fs::path path = spec.substr(begin, end - begin);
    std::error_code error;
    if (fs::is_regular_file(path, error)) reads(path);
    begin = end;
  }
}

fs::path Places::writes(const std::string& option, const std::string& output,
                        const std::string& ending) {
  const std::string what = option + " '" + output + "'";
  require_free(what, output);
  if (const fs::path owner = owner_of(output, output); !owner.empty()) {
    fail_usage(what + " holds weights of '" + owner.string() + "'; name another file");
  }
  require_plain(output);
  require_folder_of(output);
  require_no_data(what, followed(output));
  if (!ending.empty()) require_ending(option, output, ending);
  taken_.push_back(followed(output));
  return taken_.back();
}

void Places::replaces_folder(const std::string& what, const fs::path& folder) {
  for (const fs::path& path : taken_) {
    if (!lies_within(path, folder)) continue;
    fail_usage(what + " '" + folder.string() + "' would replace '" + path.string() +
               "', which is also an input or output; name another file");
  }
}

void Places::require_free(const std::string& what, const fs::path& path) const {
  const bool used =
      std::ranges::any_of(taken_, [&](const fs::path& other) { return same_place(path, other); });
  if (used) fail_usage(what + " is also an input or output; name another file");
}

void Places::require_no_data(const std::string& what, const fs::path& path) const {
  std::error_code error;
  if (data_folder_.empty() || !fs::exists(path, error) || is_no_data(path)) return;
  if (!is_read_in(data_folder_, path)) return;
  fail_usage(what + " would replace a file of the data in '" + data_folder_.string() +
             "'; name another file");
}

}  // namespace coppice
