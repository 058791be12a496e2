#include "onnx/files_beside.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"

namespace coppice {
namespace {

struct Place {
  std::string file;
  size_t offset = 0;
  std::optional<size_t> length;
};

size_t number(const std::string& text, const std::string& where) {
  size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail_input(where + ": '" + text + "' is no number of bytes");
  }
  return value;
}

Place place_of(const onnx::TensorProto& proto, const std::string& where) {
  Place place;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") place.file = entry.value();
    if (entry.key() == "offset") place.offset = number(entry.value(), where);
    if (entry.key() == "length") place.length = number(entry.value(), where);
  }
  const std::filesystem::path path = place.file;
  const bool inside = !path.empty() && path.is_relative() &&
                      std::ranges::find(path, "..") == path.end() &&
                      place.file.find('\0') == std::string::npos;
  if (!inside) {
    fail_input(where + ": its data lie in '" + place.file +
               "', expected a relative path without '..'");
  }
  return place;
}

}  // namespace

FilesBeside::Data FilesBeside::data_of(const onnx::TensorProto& proto) {
  const std::string where = "tensor '" + proto.name() + "'";
  const Place place = place_of(proto, where);
  if (folder_.empty()) {
    fail_input(where + ": its data lie in another file, '" + place.file +
               "', and only the model itself is at hand; save it with its weights inside");
  }
  auto found = files_.find(place.file);
  if (found == files_.end()) {
    Buffer buffer = within(where, [&] { return read_file(folder_ / place.file); });
    found = files_.emplace(place.file, std::move(buffer)).first;
  }
  const Buffer& file = found->second;
  const size_t rest = place.offset <= file.size ? file.size - place.offset : 0;
  const size_t length = place.length.value_or(rest);
  if (place.offset > file.size || length > rest) {
    fail_input(where + ": needs bytes " + std::to_string(place.offset) + " to " +
               std::to_string(place.offset + length) + " of '" + place.file + "', which has " +
               std::to_string(file.size) + "; the file is damaged or another model's");
  }
  return {file.data, file.bytes().subspan(place.offset, length)};
}

}  // namespace coppice
