// See plan_file.h. A folder of masks is replaced as a whole: masks of an earlier plan would be
// taken for some of this one.
#include "model/plan_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "core/attempt.h"
#include "core/error.h"
#include "data/formats/npy.h"
#include "data/formats/npz.h"

namespace coppice {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_write(const fs::path& path, const std::string& reason) {
  fail_input("can't write '" + path.string() + "': " + reason);
}

// Of the plan, among its masks, until it is in its place.
constexpr char kCopy[] = "plan.json";
// All masks in one file, for other tools; nobody here reads it.
constexpr char kArchive[] = "masks.npz";

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
fs::path folder_of(const fs::path& plan) { return fs::weakly_canonical(plan).parent_path(); }

std::optional<Plan> plan_at(const fs::path& path) {
  return attempt(ErrorKind::input, [&] { return plan_from_json(read_text(path)); });
}

bool is_anothers(const Plan& plan, const std::string& output) {
  return !plan.output.empty() && !output.empty() && plan.output != output;
}

// Whether they changed places at once, which not every file system can.
bool exchange(const fs::path& a, const fs::path& b) {
  return ::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0;
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
  return fs::path(output).replace_extension(".plan.json");
}

PlanFile::PlanFile(fs::path path, std::string output)
    : path_(std::move(path)),
      output_(std::move(output)),
      folder_(fs::path(path_).replace_extension(".masks")),
      json_(path_) {
  std::error_code gone;
  if (!fs::exists(path_) || fs::file_size(path_, gone) == 0) return;
  const std::optional<Plan> replaced = plan_at(path_);
  if (!replaced) {
    fail_write(path_, "it is no plan and would be lost; move it or name another file");
  }
  if (is_anothers(*replaced, output_)) {
    fail_write(path_, "it is the plan of another result, '" + replaced->output +
                          "', and would be lost; move it or name another file");
  }
  replaced_masks_ = mask_paths(*replaced, path_.string());
}

PlanFile::~PlanFile() {
  if (!staged_.path.empty()) remove_flat_folder(staged_.path);
  if (staged_.descriptor >= 0) ::close(staged_.descriptor);
}

void PlanFile::require_only_masks() const {
  const fs::path copy = folder_ / kCopy;
  const std::optional<Plan> replaced = plan_at(path_);
  std::optional<Plan> unplaced = plan_at(copy);
  if (unplaced && is_anothers(*unplaced, output_)) unplaced.reset();
  const auto is_mask_of = [&](const std::optional<Plan>& plan, const fs::path& file) {
    if (!plan || plan->mask_files.empty()) return false;
    return file.filename() == kArchive ||
           std::ranges::any_of(mask_paths(*plan, path_.string()),
                               [&](const fs::path& mask) { return same_file(mask, file); });
  };
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const fs::path& file = entry.path();
    if (is_mask_of(replaced, file) || is_mask_of(unplaced, file)) continue;
    if (unplaced && same_file(file, copy)) continue;
    fail_write(folder_, "it holds '" + file.filename().string() +
                            "', expected masks alone, of the plan that is replaced; move it or "
                            "name another plan");
  }
}

void PlanFile::expect_masks() {
  if (!staged_.path.empty()) return;
  if (folder_ == path_) fail_write(folder_, "its masks need that name; name the plan otherwise");
  if (fs::exists(folder_) && !fs::is_directory(folder_)) {
    fail_write(folder_, "it is a file, expected a folder of masks; move it or name another plan");
  }
  if (fs::exists(folder_)) require_only_masks();
  staged_ = make_temporary_folder(folder_);
}

void PlanFile::write_masks(Plan& plan) {
  expect_masks();
  plan.mask_files.clear();
  std::map<std::string, Tensor> arrays;
  for (const auto& [tensor, mask] : plan.masks) {
    const std::string name = mask_file_name(plan.mask_files.size(), tensor);
    const Tensor& array = arrays.emplace(tensor, as_bytes(mask)).first->second;
    AtomicFile file(staged_.path / name);
    write_npy(array, file);
    file.commit();
    plan.mask_files.push_back({tensor, nonzeros_of(mask), (folder_.filename() / name).string()});
  }
  write_npz(arrays, staged_.path / kArchive);
}

void PlanFile::write(Plan plan) {
  if (!plan.masks.empty()) write_masks(plan);
  const std::string text = to_json(plan);
  if (!staged_.path.empty()) write_text(staged_.path / kCopy, text);
  json_.write(text);
}

// The folder that then holds what they replace, if anything.
fs::path PlanFile::place_masks() {
  const fs::path staged = std::move(staged_.path), old = staged.string() + ".old";
  staged_.path.clear();
  const bool replaces = fs::exists(folder_);
  if (replaces && exchange(staged, folder_)) return staged;
  if (replaces) move_to(folder_, old);
  move_to(staged, folder_);
  return replaces ? old : fs::path();
}

// They would belong to no plan, and stand in the way of the next one that has masks.
void PlanFile::remove_replaced_masks() const {
  for (const fs::path& mask : replaced_masks_) {
    std::error_code ignored;
    if (same_file(mask.parent_path(), folder_)) fs::remove(mask, ignored);
  }
  std::error_code ignored;
  fs::remove(folder_ / kArchive, ignored);
  ::rmdir(folder_.c_str());  // if nothing else is in it
}

void PlanFile::commit() {
  const bool masked = !staged_.path.empty();
  const fs::path old = masked ? place_masks() : fs::path();
  json_.commit();
  std::error_code ignored;
  if (masked) fs::remove(folder_ / kCopy, ignored);
  if (!old.empty()) remove_flat_folder(old);
  if (!masked && !replaced_masks_.empty()) remove_replaced_masks();
}

}  // namespace coppice
