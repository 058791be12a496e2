// See plan_file.h. A folder of masks is replaced as a whole: masks of an earlier plan would be
// taken for some of this one.
#include "cli/plan_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/model.h"
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

Tensor as_bytes(const Tensor& mask) {
  Tensor bytes = Tensor::zeros(DType::u8, mask.shape());
  const std::span<uint8_t> to = bytes.mutate<uint8_t>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = mask.as<float>()[i] != 0;
  return bytes;
}

}  // namespace

Plan read_plan(const std::string& path, const std::string& model, uint64_t seed) {
  std::future<std::string> sha256 = model_sha256(model, seed);
  const std::string text = read_text(path);
  Plan plan = within("'" + path + "'", [&] { return plan_from_json(text); });
  const std::string found = sha256.get();
  if (!plan.model_sha256.empty() && plan.model_sha256 != found) {
    fail_input("plan '" + path + "' was made for another model: '" + plan.model_file +
               "' with SHA-256 " + plan.model_sha256.substr(0, 12) + "..., but '" + model +
               "' has " + found.substr(0, 12) + "...");
  }
  const fs::path folder = fs::canonical(path).parent_path();
  for (const MaskFile& mask : plan.mask_files) {
    within("plan '" + path + "'", [&] {
      const Buffer file = read_file(folder / mask.file);
      add_mask(plan, mask, parse_npy(file, "mask '" + mask.file + "'"));
    });
  }
  return plan;
}

PlanFile::PlanFile(fs::path path)
    : path_(std::move(path)), folder_(fs::path(path_).replace_extension(".masks")), json_(path_) {}

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
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (entry.is_regular_file() && entry.path().extension() == ".npy") continue;
      fail_write(folder_, "it holds '" + entry.path().filename().string() +
                              "', expected masks alone; move it or name another plan");
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
