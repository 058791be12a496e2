// See output_path.h.
#include "cli/output_path.h"

#include <algorithm>

#include "cli/model.h"
#include "core/error.h"
#include "core/same_place.h"
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

}  // namespace

void Places::reads_model(const std::string& model) {
  if (is_zoo_name(model)) return;
  reads(model);
  for (fs::path& file : data_files(model)) reads(std::move(file));
}

void Places::reads(const fs::path& path) { taken_.push_back(path); }

void Places::reads_data(const std::string& spec) {
  for (size_t begin = spec.find(':'); begin != std::string::npos;) {
    const size_t end = spec.find(',', ++begin);
    const fs::path path = spec.substr(begin, end - begin);
    std::error_code error;
    if (fs::is_regular_file(path, error)) reads(path);
    begin = end;
  }
}

void Places::writes_run(const fs::path& folder) {
  if (folder.empty()) return;
  for (const char* name : {"run.json", "metrics.jsonl", "checkpoint"}) reads(folder / name);
}

fs::path Places::writes(const std::string& option, const std::string& output) {
  const std::string what = option + " '" + output + "'";
  require_free(what, output);
  if (const fs::path owner = owner_of(output, output); !owner.empty()) {
    fail_usage(what + " holds weights of '" + owner.string() + "'; name another file");
  }
  require_plain(output);
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

}  // namespace coppice
