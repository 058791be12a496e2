// See plan_file.h. A folder of masks is replaced as a whole: masks of an earlier plan would be
// taken for some of this one.
#include "cli/plan_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "core/attempt.h"
#include "core/error.h"
#include "data/npy.h"

namespace coppice {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_write(const fs::path& path, const std::string& reason) {
  fail_input("can't write '" + path.string() + "': " + reason);
}

// A folder of our own beside `target`, with the rights that a new folder gets.
fs::path make_folder_beside(const fs::path& target) {
  std::string name = target.string() + ".tmpXXXXXX";
  if (!::mkdtemp(name.data())) fail_write(target, std::strerror(errno));
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::chmod(name.c_str(), 0777 & ~mask);
  return name;
}

void move_to(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) fail_write(to, error.message());
}

// "003-layer1.0.conv1.weight.npy"; the number keeps apart what the letters don't.
std::string mask_file_name(size_t index, const std::string& tensor) {
  constexpr size_t kMostLetters = 80, kDigits = 3;
  std::string number = std::to_string(index), letters = tensor.substr(0, kMostLetters);
  if (number.size() < kDigits) number.insert(0, kDigits - number.size(), '0');
  for (char& letter : letters) {
    const bool safe = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                      (letter >= '0' && letter <= '9') || letter == '.' || letter == '_';
    if (!safe) letter = '_';
  }
  return number + "-" + letters + ".npy";
}

// Masks lie beside the plan, not beside a link to it.
fs::path folder_of(const fs::path& plan) { return fs::canonical(plan).parent_path(); }

std::optional<Plan> plan_at(const fs::path& path) {
  return attempt(ErrorKind::input, [&] { return plan_from_json(read_text(path)); });
}

Tensor as_bytes(const Tensor& mask) {
  Tensor bytes = Tensor::zeros(DType::u8, mask.shape());
  const std::span<uint8_t> to = bytes.mutate<uint8_t>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = mask.as<float>()[i] != 0;
  return bytes;
}

}  // namespace

Plan read_plan(const std::string& path) {
  const std::string text = read_text(path);
  Plan plan = within("'" + path + "'", [&] { return plan_from_json(text); });
  const fs::path folder = folder_of(path);
  for (const MaskFile& mask : plan.mask_files) {
    within("plan '" + path + "'", [&] {
      const Buffer file = read_file(folder / mask.file);
      add_mask(plan, mask, parse_npy(file, "mask '" + mask.file + "'"));
    });
  }
  return plan;
}

std::vector<fs::path> mask_paths(const Plan& plan, const std::string& path) {
  std::vector<fs::path> paths;
  for (const MaskFile& mask : plan.mask_files) paths.push_back(folder_of(path) / mask.file);
  return paths;
}

bool made_for(const Plan& plan, const std::string& model_sha256) {
  return plan.model_sha256.empty() || plan.model_sha256 == model_sha256;
}

std::string remark_on(const Plan& plan, const std::string& path, const std::string& model) {
  return "plan '" + path + "' was made for another file, '" + plan.model_file +
         "'; names, shapes and ties of '" + model + "' fit it, so it holds here, too";
}

fs::path usual_plan_path(const fs::path& output) {
  const fs::path shared = output.parent_path() / "plan.json";
  fs::path own = output;
  own.replace_extension(".plan.json");
  if (fs::exists(own)) return own;
  if (!fs::exists(shared)) return shared;
  const std::optional<Plan> there = plan_at(shared);
  return there && there->output == output.filename().string() ? shared : own;
}

PlanFile::PlanFile(fs::path path)
    : path_(std::move(path)), folder_(fs::path(path_).replace_extension(".masks")), json_(path_) {
  std::error_code gone;
  const bool empty = !fs::exists(path_) || fs::file_size(path_, gone) == 0;
  if (!empty && !plan_at(path_)) {
    fail_write(path_, "it is no plan and would be lost; move it or name another file");
  }
}

PlanFile::~PlanFile() {
  std::error_code ignored;
  if (!staged_.empty()) fs::remove_all(staged_, ignored);
}

void PlanFile::expect_masks() {
  if (!staged_.empty()) return;
  if (folder_ == path_) fail_write(folder_, "its masks need that name; name the plan otherwise");
  if (fs::exists(folder_) && !fs::is_directory(folder_)) {
    fail_write(folder_, "it is a file, expected a folder of masks; move it or name another plan");
  }
  if (fs::exists(folder_)) {
    const std::optional<Plan> replaced = plan_at(path_);
    const auto is_its_mask = [&](const fs::path& file) {
      return replaced &&
             std::ranges::any_of(mask_paths(*replaced, path_.string()),
                                 [&](const fs::path& mask) { return same_file(mask, file); });
    };
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (is_its_mask(entry.path())) continue;
      fail_write(folder_, "it holds '" + entry.path().filename().string() +
                              "', expected masks alone, of the plan that is replaced; move it or "
                              "name another plan");
    }
  }
  staged_ = make_folder_beside(folder_);
}

void PlanFile::write_masks(Plan& plan) {
  expect_masks();
  plan.mask_files.clear();
  for (const auto& [tensor, mask] : plan.masks) {
    const std::string name = mask_file_name(plan.mask_files.size(), tensor);
    AtomicFile file(staged_ / name);
    write_npy(as_bytes(mask), file);
    file.commit();
    plan.mask_files.push_back({tensor, nonzeros_of(mask), (folder_.filename() / name).string()});
  }
}

void PlanFile::write(Plan plan) {
  if (!plan.masks.empty()) write_masks(plan);
  json_.write(to_json(plan));
}

void PlanFile::commit() {
  if (!staged_.empty()) {
    const fs::path old = staged_.string() + ".old";
    const bool replaces = fs::exists(folder_);
    if (replaces) move_to(folder_, old);
    move_to(staged_, folder_);
    staged_.clear();
    std::error_code ignored;
    if (replaces) fs::remove_all(old, ignored);
  }
  json_.commit();
}

}  // namespace coppice
