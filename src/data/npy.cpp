// npy files, and the data set made of two of them: pictures and labels. See npy.h for the bytes.
//
// Pictures: uint8 or float32, [N, H, W] (grey), [N, C, H, W], [N, H, W, C] (C last if it is 1 or 3
// and the second axis is neither), or [N, F] (flat, one row). Labels: integers, [N] or [N, 1], from
// 0; the largest one says how many classes there are. Both splits are the same pictures.
#include "data/npy.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <tuple>

#include "core/error.h"
#include "data/decompress.h"
#include "data/formats.h"
#include "data/in_quotes.h"
#include "data/memory_dataset.h"

namespace coppice {
namespace {

constexpr size_t kMostFileBytes = size_t{64} << 30;
constexpr size_t kMostHeaderBytes = size_t{1} << 16;
constexpr int64_t kMostClasses = 100000;

struct NpyType {
  std::string_view text;
  DType dtype;
};

constexpr NpyType kTypes[] = {
    {"|u1", DType::u8},  {"<f4", DType::f32}, {"|i1", DType::i8},  {"<i2", DType::i16},
    {"<u2", DType::u16}, {"<i4", DType::i32}, {"<u4", DType::u32}, {"<i8", DType::i64},
};

// Text from the file as a message may show it: short, and printable.
std::string excerpt(std::string_view text) {
  std::string shown(text.substr(0, text.find('\n')).substr(0, 40));
  for (char& letter : shown) {
    if (letter < ' ' || letter > '~') letter = '?';
  }
  return shown;
}

// What follows 'key': in the dictionary, without blanks before it.
std::string_view value_of(std::string_view header, const std::string& key,
                          const std::string& where) {
  const size_t at = header.find("'" + key + "'");
  const size_t colon = at == std::string_view::npos ? at : header.find(':', at);
  const size_t value =
      colon == std::string_view::npos ? colon : header.find_first_not_of(" ", colon + 1);
  if (value == std::string_view::npos) {
    fail_input(where + ": its npy header has no '" + key +
               "', expected 'descr', 'fortran_order' and 'shape'; write it with numpy.save");
  }
  return header.substr(value);
}

DType parse_dtype(std::string_view value, const std::string& where) {
  std::string_view found = value.substr(0, value.find(','));
  if (value.starts_with('\'')) {
    found = value.substr(1, std::min(value.find('\'', 1), value.size()) - 1);
    for (const NpyType& type : kTypes) {
      if (type.text == found) return type.dtype;
    }
  }
  fail_input(
      where + ": element type " + excerpt(found) +
      ", expected uint8 (|u1) or float32 (<f4) for pictures, integers for labels; convert it "
      "with numpy's astype");
}

Shape parse_shape(std::string_view value, const std::string& where) {
  const size_t end = value.find(')');
  const auto fail = [&] {
    fail_input(where + ": shape " + excerpt(value) +
               ", expected sizes in parentheses such as (10, 3, 32, 32)");
  };
  if (!value.starts_with('(') || end == std::string_view::npos) fail();
  Shape shape;
  std::string_view rest = value.substr(1, end - 1);
  while (true) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" "), rest.size()));
    if (rest.empty()) break;
    int64_t size = 0;
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
    if (error != std::errc() || size < 0) fail();
    shape.push_back(size);
    rest.remove_prefix(stop - rest.data());
    if (!rest.empty() && rest.front() != ',') fail();
    if (!rest.empty()) rest.remove_prefix(1);
  }
  return shape;
}

// Where the header's text begins and where it ends.
std::pair<size_t, size_t> find_header(std::span<const std::byte> bytes, const std::string& where) {
  constexpr char kMagic[] = "\x93NUMPY";
  constexpr size_t kMagicBytes = sizeof kMagic - 1;
  if (bytes.size() < kMagicBytes + 4 || std::memcmp(bytes.data(), kMagic, kMagicBytes) != 0) {
    fail_input(
        where + ": " + std::to_string(bytes.size()) +
        " bytes that are no npy file, expected one that begins with \\x93NUMPY; write it with "
        "numpy.save");
  }
  const int version = std::to_integer<int>(bytes[kMagicBytes]);
  if (version < 1 || version > 3) {
    fail_input(where + ": npy version " + std::to_string(version) + ", expected 1 to 3");
  }
  const size_t begin = kMagicBytes + 2 + (version == 1 ? 2 : 4);
  size_t length = 0;
  for (size_t i = begin; i > kMagicBytes + 2; --i) {
    length = length << 8 | (i <= bytes.size() ? std::to_integer<size_t>(bytes[i - 1]) : 0);
  }
  if (bytes.size() < begin || length > std::min(bytes.size() - begin, kMostHeaderBytes)) {
    fail_input(where + ": " + std::to_string(bytes.size()) +
               " bytes do not hold its npy header, expected " + std::to_string(begin + length) +
               " and more; copy it again");
  }
  return {begin, begin + length};
}

struct Array {
  Tensor tensor;
  std::string where;
};

Array read_array(const std::string& file) {
  const std::string where = in_quotes(file);
  return {parse_npy(read_at_most(file, kMostFileBytes), where), where};
}

// [N, H, W, C] to [N, C, H, W].
template <typename T>
Tensor to_planar(const Tensor& pictures) {
  const Shape& from = pictures.shape();
  const int64_t pixels = from[1] * from[2], channels = from[3];
  Tensor result = Tensor::zeros(pictures.dtype(), {from[0], channels, from[1], from[2]});
  const std::span<const T> source = pictures.as<T>();
  const std::span<T> target = result.mutate<T>();
  for (int64_t n = 0; n < from[0]; ++n) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t i = 0; i < pixels; ++i) {
        target[(n * channels + c) * pixels + i] = source[(n * pixels + i) * channels + c];
      }
    }
  }
  return result;
}

// As [N, C, H, W].
Array read_pictures(const std::string& file) {
  Array array = read_array(file);
  const Shape shape = array.tensor.shape();
  const auto is_colour_count = [](int64_t size) { return size == 1 || size == 3; };
  const DType dtype = array.tensor.dtype();
  if (dtype != DType::u8 && dtype != DType::f32) {
    fail_input(array.where + ": pictures of " + name_of(dtype) +
               ", expected uint8 or float32; convert them with numpy's astype");
  }
  if (array.tensor.size() == 0 || shape.size() < 2 || shape.size() > 4) {
    fail_input(array.where + ": pictures of shape " + to_string(shape) +
               ", expected 2 to 4 axes without a zero: NxHxW, NxCxHxW, NxHxWxC or NxF");
  }
  if (shape.size() == 2) {
    array.tensor = array.tensor.reshaped({shape[0], 1, 1, shape[1]});
  } else if (shape.size() == 3) {
    array.tensor = array.tensor.reshaped({shape[0], 1, shape[1], shape[2]});
  } else if (!is_colour_count(shape[1]) && is_colour_count(shape[3])) {
    array.tensor =
        dtype == DType::u8 ? to_planar<uint8_t>(array.tensor) : to_planar<float>(array.tensor);
  }
  return array;
}

// Labels and the number of classes.
std::pair<std::vector<int64_t>, int64_t> read_labels(const std::string& file, int64_t count,
                                                     const std::string& pictures) {
  const Array array = read_array(file);
  const Shape& shape = array.tensor.shape();
  if (array.tensor.dtype() == DType::f32) {
    fail_input(array.where +
               ": labels of float32, expected integers; convert them with numpy's "
               "astype");
  }
  if (array.tensor.size() != count || shape.empty() || shape[0] != count) {
    fail_input(array.where + ": labels of shape " + to_string(shape) + ", expected " +
               std::to_string(count) + " as " + pictures + " has pictures");
  }
  const std::vector<int64_t> labels = to_int64s(array.tensor);
  const auto [low, high] = std::minmax_element(labels.begin(), labels.end());
  if (*low < 0 || *high >= kMostClasses) {
    const auto bad = *low < 0 ? low : high;
    fail_input(array.where + ": label " + std::to_string(*bad) + " of picture " +
               std::to_string(bad - labels.begin()) + ", expected 0 to " +
               std::to_string(kMostClasses - 1));
  }
  return {labels, *high + 1};
}

}  // namespace

Tensor parse_npy(const Buffer& file, const std::string& where) {
  const auto [begin, end] = find_header(file.bytes(), where);
  const std::string_view header(reinterpret_cast<const char*>(file.data.get()) + begin,
                                end - begin);
  const DType dtype = parse_dtype(value_of(header, "descr", where), where);
  if (!value_of(header, "fortran_order", where).starts_with("False")) {
    fail_input(where +
               ": elements in Fortran order, expected C order; write it again after "
               "numpy.ascontiguousarray");
  }
  const Shape shape = parse_shape(value_of(header, "shape", where), where);
  const int64_t count = within(where, [&] { return element_count(shape); });
  size_t expected = 0;
  const size_t found = file.size - end;
  if (__builtin_mul_overflow(static_cast<size_t>(count), size_of(dtype), &expected) ||
      found != expected) {
    fail_input(where + ": " + std::to_string(found) + " bytes of elements, expected " +
               std::to_string(count) + " of " + std::to_string(size_of(dtype)) +
               " bytes for shape " + to_string(shape) + "; copy or write it again");
  }
  const std::span<const std::byte> elements = file.bytes().subspan(end);
  if (reinterpret_cast<uintptr_t>(elements.data()) % size_of(dtype) == 0) {
    return Tensor::view(dtype, shape, file.data, elements);
  }
  Tensor copy = Tensor::zeros(dtype, shape);
  if (found > 0) std::memcpy(copy.mutate_bytes().data(), elements.data(), found);
  return copy;
}

std::unique_ptr<Dataset> open_npy(const std::string& two_files, Split) {
  const size_t comma = two_files.find(',');
  if (comma == std::string::npos || comma == 0 || comma + 1 == two_files.size() ||
      two_files.find(',', comma + 1) != std::string::npos) {
    fail_usage("data set 'npy:" + two_files + "': expected two files, npy:IMAGES,LABELS");
  }
  const std::string pictures_file = two_files.substr(0, comma);
  const Array pictures = read_pictures(pictures_file);
  const Shape& shape = pictures.tensor.shape();
  MemoryPictures result;
  std::tie(result.labels, result.classes) =
      read_labels(two_files.substr(comma + 1), shape[0], pictures.where);
  result.name = "npy";
  result.dtype = pictures.tensor.dtype();
  result.shape = {shape[1], shape[2], shape[3]};
  const auto owner = std::make_shared<const Tensor>(pictures.tensor);
  const size_t picture_bytes = owner->bytes().size() / static_cast<size_t>(shape[0]);
  result.parts.push_back({owner, owner->bytes(), picture_bytes, shape[0]});
  // Floats are taken as preprocessed already.
  if (result.dtype == DType::f32) result.preprocessing = parse_preprocessing("none");
  return make_memory_dataset(std::move(result));
}

}  // namespace coppice
