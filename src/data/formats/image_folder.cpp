// Images in class folders: DIR/CLASS/PICTURE.jpg, or DIR/train/CLASS/... beside DIR/val/CLASS/...
// (test/ where both are).
//
// The sorted order of the class folders' names is the class index, and of the split form the train
// folder's order counts for both splits. Without val and test all are training images, and stay
// so when the test part is asked for. A folder of images without class folders is one class, which
// says nothing: images without labels, for what needs none. Opening lists names only; an image is
// decoded when it is read, and its errors show then.
#include <algorithm>
#include <cctype>
#include <filesystem>

#include "core/error.h"
#include "data/files/image.h"
#include "data/formats/formats.h"
#include "data/in_quotes.h"

namespace coppice {
namespace {

namespace fs = std::filesystem;

constexpr char kItself[] = ".";  // as a class folder

struct Listing {
  std::vector<std::string> folders, images;  // sorted by name
};

bool is_image_name(const fs::path& name) {
  std::string ending = name.extension().string();
  for (char& letter : ending)
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

// Hidden entries and files of other kinds are passed over.
Listing list_folder(const fs::path& folder) {
  Listing listing;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (name.starts_with('.')) continue;
    if (entry->is_directory(ignored)) {
      listing.folders.push_back(name);
    } else if (is_image_name(name) && entry->is_regular_file(ignored)) {
      listing.images.push_back(name);
    }
  }
  if (error) {
    fail_input(in_quotes(folder) + ": can't be listed (" + error.message() +
               "); expected class folders with JPEG or PNG images");
  }
  std::sort(listing.folders.begin(), listing.folders.end());
  std::sort(listing.images.begin(), listing.images.end());
  return listing;
}

struct Folders {
  fs::path classes;  // whose sub-folders say which class has which index
  fs::path images;   // whose sub-folders are read
  Split split;       // what they are
};

bool is_split_name(const std::string& name) {
  return name == "train" || name == "val" || name == "test";
}

// The split form is recognised by train beside val or test, or by nothing but such names: a lone
// folder `train` among others is a class (of trains).
Folders find_split(const fs::path& folder, Split split) {
  const std::vector<std::string> names = list_folder(folder).folders;
  const auto has = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const bool both = has("train") && (has("val") || has("test"));
  const bool only = !names.empty() && std::all_of(names.begin(), names.end(), is_split_name);
  if (!both && !only) return {folder, folder, Split::train};
  if (split == Split::train && !has("train")) {
    fail_input(in_quotes(folder) + ": has no folder 'train', only '" + names.front() +
               "'; add it, or name '" + (folder / names.front()).string() + "' itself");
  }
  // Choices are made by `val`, so `test` judges where both are. One without class folders
  // (ImageNet's own) has no labels.
  const bool labelled = has("test") && !list_folder(folder / "test").folders.empty();
  const char* test = labelled || !has("val") ? "test" : "val";
  if (split == Split::train || !has(test))
    return {folder / "train", folder / "train", Split::train};
  return {folder / (has("train") ? "train" : test), folder / test, Split::test};
}

class ImageFolder : public Dataset {
 public:
  ImageFolder(const fs::path& folder, Split split) {
    const Folders folders = find_split(folder, split);
    root_ = folders.images;
    split_ = folders.split;
    const Listing top = list_folder(root_);
    class_names_ = list_folder(folders.classes).folders;
    for (const std::string& name : top.folders) add_class(name, folders);
    if (class_names_.empty()) {
      class_names_ = {kItself};
      add_class(kItself, folders);
    }
    if (entries_.empty()) {
      fail_input(in_quotes(root_) + ": " + std::to_string(top.folders.size()) +
                 " class folders and " + std::to_string(top.images.size()) +
                 " images beside them, expected class folders that hold at least 1 JPEG or PNG "
                 "image (DIR/CLASS/PICTURE.jpg), or such images alone, without labels");
    }
  }

  int64_t size() const override { return static_cast<int64_t>(entries_.size()); }
  int64_t classes() const override { return static_cast<int64_t>(class_names_.size()); }
  std::string name() const override { return "images"; }
  Split split() const override { return split_; }
  std::optional<Preprocessing> own_preprocessing() const override {
    return parse_preprocessing("imagenet,resize=256,crop=224");
  }
  Augmentation usual_augmentation() const override { return parse_augmentation("area=0.08,flip"); }

  Sample read(int64_t index) const override {
    COPPICE_CHECK(index >= 0 && index < size(), "sample index out of range");
    const Entry& entry = entries_[index];
    return {read_image(root_ / class_names_[entry.label] / entry.file), entry.label};
  }
  int64_t label(int64_t index) const override { return entries_[index].label; }

 private:
  struct Entry {
    int64_t label;
    std::string file;
  };

  void add_class(const std::string& name, const Folders& folders) {
    const auto found = std::lower_bound(class_names_.begin(), class_names_.end(), name);
    if (found == class_names_.end() || *found != name) {
      fail_input(in_quotes(root_ / name) + ": a class that is not among the " +
                 std::to_string(class_names_.size()) + " of '" + folders.classes.string() +
                 "'; remove or rename it");
    }
    for (std::string& file : list_folder(root_ / name).images) {
      entries_.push_back({found - class_names_.begin(), std::move(file)});
    }
  }

  fs::path root_;
  Split split_ = Split::train;
  std::vector<std::string> class_names_;
  std::vector<Entry> entries_;
};

}  // namespace

std::unique_ptr<Dataset> open_image_folder(const std::string& folder, Split split) {
  return std::make_unique<ImageFolder>(folder, split);
}

}  // namespace coppice
