// See data_files.h. Protobuf's wire format is walked on disk, so that a model of gigabytes costs
// some reads for each tensor, and nothing of a file that is changing meanwhile is trusted.
#include "onnx/data_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_set>

#include "core/paths/same_place.h"

namespace coppice {
namespace {

namespace fs = std::filesystem;

// The messages on the way from a model to the entries that name files.
enum class Message { model, function, graph, node, attribute, sparse, tensor, entry };

struct Way {
  Message from;
  uint64_t field;
  Message to;
};

// Field numbers of onnx.proto.
constexpr Way kWays[] = {
    {Message::model, 7, Message::graph},       {Message::model, 25, Message::function},
    {Message::function, 7, Message::node},     {Message::graph, 1, Message::node},
    {Message::graph, 5, Message::tensor},      {Message::graph, 15, Message::sparse},
    {Message::node, 5, Message::attribute},    {Message::attribute, 5, Message::tensor},
    {Message::attribute, 6, Message::graph},   {Message::attribute, 10, Message::tensor},
    {Message::attribute, 11, Message::graph},  {Message::attribute, 22, Message::sparse},
    {Message::attribute, 23, Message::sparse}, {Message::sparse, 1, Message::tensor},
    {Message::sparse, 2, Message::tensor},     {Message::tensor, 13, Message::entry},
};
constexpr uint64_t kKey = 1, kValue = 2;
constexpr int kDeepest = 200;  // messages within messages

class Walker {
 public:
  explicit Walker(int file) : file_(file) {}

  std::vector<std::string> locations() {
    const off_t size = ::lseek(file_, 0, SEEK_END);
    if (size > 0) walk(Message::model, 0, static_cast<uint64_t>(size), 0);
    return std::move(found_);
  }

 private:
  // Up to `size` bytes from `at` on.
  std::string read(uint64_t at, uint64_t size) const {
    std::string bytes(size, '\0');
    const ssize_t got = ::pread(file_, bytes.data(), size, static_cast<off_t>(at));
    bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return bytes;
  }

  struct Field {
    uint64_t number = 0, begin = 0, end = 0;  // of what it holds
    bool delimited = false;
  };

  // The field at `at`; nothing where the bytes are none.
  std::optional<Field> field_at(uint64_t at, uint64_t end) const {
    constexpr uint64_t kLongest = 20;  // tag and length
    const std::string head = read(at, std::min(kLongest, end - at));
    size_t position = 0;
    const auto varint = [&]() -> std::optional<uint64_t> {
      uint64_t value = 0;
      for (int shift = 0; shift < 64 && position < head.size(); shift += 7) {
        const auto byte = static_cast<uint8_t>(head[position++]);
        value |= static_cast<uint64_t>(byte & 127) << shift;
        if (byte < 128) return value;
      }
      return std::nullopt;
    };
    const auto tag = varint();
    if (!tag) return std::nullopt;
    constexpr uint64_t kVarint = 0, kFixed64 = 1, kDelimited = 2, kFixed32 = 5;
    const uint64_t kind = *tag & 7;
    uint64_t length = kind == kFixed64 ? 8 : kind == kFixed32 ? 4 : 0;
    if (kind != kVarint && kind != kDelimited && length == 0) return std::nullopt;
    if (length == 0) {
      const auto number = varint();
      if (!number) return std::nullopt;
      if (kind == kDelimited) length = *number;
    }
    const uint64_t begin = at + position;
    if (begin > end || length > end - begin) return std::nullopt;
    return Field{*tag >> 3, begin, begin + length, kind == kDelimited};
  }

  void walk(Message message, uint64_t begin, uint64_t end, int depth) {
    if (depth > kDeepest) return;
    std::string key, value;
    while (begin < end) {
      const std::optional<Field> field = field_at(begin, end);
      if (!field) return;
      begin = field->end;
      if (!field->delimited) continue;
      if (message == Message::entry) {
        constexpr uint64_t kLongestName = 1 << 16;
        const uint64_t size = std::min(kLongestName, field->end - field->begin);
        if (field->number == kKey) key = read(field->begin, size);
        if (field->number == kValue) value = read(field->begin, size);
        continue;
      }
      for (const Way& way : kWays) {
        if (way.from != message || way.field != field->number) continue;
        walk(way.to, field->begin, field->end, depth + 1);
      }
    }
    const bool names = message == Message::entry && key == "location" && !value.empty();
    if (names && met_.insert(value).second) found_.push_back(value);
  }

  int file_;
  std::vector<std::string> found_;
  std::unordered_set<std::string> met_;
};

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() != fs::file_type::not_found;
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

std::vector<std::string> locations_in(const fs::path& model) {
  std::error_code error;
  if (!fs::is_regular_file(model, error)) return {};
  const int file = ::open(model.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::vector<std::string> locations = Walker(file).locations();
  ::close(file);
  std::erase_if(locations,
                [](const std::string& name) { return name.find('\0') != std::string::npos; });
  return locations;
}

bool is_one_of(const fs::path& path, const std::vector<fs::path>& others) {
  return std::ranges::any_of(others,
                             [&](const fs::path& other) { return same_place(path, other); });
}

}  // namespace

fs::path data_folder(const fs::path& model) {
  const fs::path folder = folder_of(model);
  std::error_code error;
  if (!fs::is_symlink(model, error)) return folder;
  const fs::path target = fs::canonical(model, error);
  const bool beside_link = error || std::ranges::any_of(locations_in(model), [&](const auto& name) {
                             return is_there(folder / name);
                           });
  return beside_link ? folder : target.parent_path();
}

std::vector<fs::path> data_files(const fs::path& model) {
  std::vector<fs::path> files;
  const std::vector<std::string> locations = locations_in(model);
  if (locations.empty()) return files;
  const fs::path folder = data_folder(model);
  for (const std::string& location : locations) files.push_back(folder / location);
  return files;
}

fs::path owner_of(const fs::path& file, const fs::path& than) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_of(file), error)) {
    const fs::path& model = entry.path();
    if (model.extension() != ".onnx" || same_place(model, than)) continue;
    if (is_one_of(file, data_files(model))) return model;
  }
  return {};
}

std::string data_suffix(const fs::path& model, const std::vector<fs::path>& taken) {
  for (int64_t number = 0;; ++number) {
    const std::string suffix = (number == 0 ? "" : "." + std::to_string(number)) + ".data";
    const fs::path path = model.string() + suffix;
    if (!is_there(path) && !is_one_of(path, taken)) return suffix;
  }
}

std::vector<fs::path> replaced_data(const fs::path& model, const std::vector<fs::path>& taken) {
  std::vector<fs::path> replaced;
  const std::string start = model.filename().string() + ".";
  for (const fs::path& file : data_files(model)) {
    const std::string name = file.filename().string();
    const bool named_so = name.starts_with(start) && name.ends_with(".data");
    if (named_so && !is_one_of(file, taken) && owner_of(file, model).empty()) {
      replaced.push_back(file);
    }
  }
  return replaced;
}

}  // namespace coppice
