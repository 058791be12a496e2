// See array_files.h.
#include "tasks/running/array_files.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include "core/error.h"
#include "core/words/nearest.h"
#include "data/files/decompress.h"
#include "data/formats/npy.h"
#include "data/formats/npz.h"
#include "data/in_quotes.h"

namespace coppice {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostFileBytes = size_t{64} << 30;
constexpr const char* kArchive = ".npz";

bool is_archive(const std::string& file) { return fs::path(file).extension() == kArchive; }

bool knows(const ArrayRole& role, const std::string& name) {
  return std::ranges::find(role.names, name) != role.names.end();
}

// "'a', 'b'".
std::string quoted(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

[[noreturn]] void fail_name(const std::string& where, const std::string& name,
                            const ArrayRole& role) {
  const std::string known = role.names.empty() ? "none" : quoted(role.names);
  fail_usage(where + ": the model has no " + role.noun + " '" + name + "', expected " + known +
             did_you_mean(name, role.names));
}

// The '=' is part of a path that leads somewhere.
bool leads_somewhere(const std::string& text) {
  std::error_code error;
  if (fs::exists(text, error)) return true;
  const fs::path folder = fs::path(text).parent_path();
  return folder.string().find('=') != std::string::npos && fs::exists(folder, error);
}

void add_array(std::map<std::string, FoundArray>& arrays, const ArrayRole& role,
               const std::string& name, FoundArray array) {
  if (!knows(role, name)) fail_name(array.where, name, role);
  const auto [place, added] = arrays.try_emplace(name, array);
  if (added) return;
  fail_usage(array.where + ": " + role.noun + " '" + name + "' is given already, by " +
             place->second.where + "; leave one of them out");
}

}  // namespace

ArrayFile array_file(const std::string& text, const ArrayRole& role) {
  const std::string where = std::string(role.option) + " '" + text + "'";
  for (size_t at = text.find('='); at != std::string::npos; at = text.find('=', at + 1)) {
    const std::string name = text.substr(0, at), file = text.substr(at + 1);
    if (!knows(role, name)) continue;
    if (file.empty()) fail_usage(where + ": names no file, expected NAME=FILE");
    return {name, file};
  }
  const size_t equals = text.find('=');
  if (equals != std::string::npos && !leads_somewhere(text)) {
    fail_name(where, text.substr(0, equals), role);
  }
  if (is_archive(text)) return {std::nullopt, text};
  if (role.names.size() == 1) return {role.names.front(), text};
  fail_usage(where + ": the model has " + std::to_string(role.names.size()) + " " + role.noun +
             "s" + (role.names.empty() ? "" : " (" + quoted(role.names) + ")") +
             ", expected NAME=FILE.npy for each, or one FILE.npz of all");
}

std::map<std::string, FoundArray> read_arrays(const std::vector<ArrayFile>& files,
                                              const ArrayRole& role) {
  std::map<std::string, FoundArray> arrays;
  for (const ArrayFile& file : files) {
    const std::string where = in_quotes(file.file);
    if (!file.name) {
      for (auto& [name, tensor] : read_npz(file.file)) {
        add_array(arrays, role, name, {std::move(tensor), where});
      }
    } else if (is_archive(file.file)) {
      fail_usage(std::string(role.option) + " '" + *file.name + "=" + file.file +
                 "': an npz archive holds arrays by their names, expected it without '" +
                 *file.name + "='");
    } else {
      Tensor tensor = parse_npy(read_at_most(file.file, kMostFileBytes), where);
      add_array(arrays, role, *file.name, {std::move(tensor), where});
    }
  }
  return arrays;
}

std::vector<ArrayTarget> targets_of(const std::vector<ArrayFile>& files, const ArrayRole& role,
                                    Places& places) {
  std::vector<ArrayTarget> targets;
  for (const ArrayFile& file : files) {
    const bool again = file.name && std::ranges::count(files, file.name, &ArrayFile::name) > 1;
    if (again)
      fail_usage(std::string(role.option) + ": output '" + *file.name + "' goes to two files");
    const char* ending = file.name ? ".npy" : kArchive;
    targets.push_back({file.name, places.writes(role.option, file.file, ending)});
  }
  return targets;
}

void write_arrays(const std::vector<ArrayTarget>& targets,
                  const std::map<std::string, Tensor>& arrays) {
  std::vector<std::unique_ptr<AtomicFile>> files;
  for (const ArrayTarget& target : targets) {
    files.push_back(std::make_unique<AtomicFile>(target.file));
    if (target.name) {
      write_npy(arrays.at(*target.name), *files.back());
    } else {
      write_npz(arrays, files.back()->temporary());
    }
  }
  for (const auto& file : files) file->commit();
}

}  // namespace coppice
