// See npy.h for the bytes. The dictionary is searched for its three keys, not parsed as Python;
// whatever is not just as numpy.save writes it is refused.
#include "data/formats/npy.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

#include "core/error.h"

namespace coppice {
namespace {

constexpr size_t kMostHeaderBytes = size_t{1} << 16;

struct NpyType {
  std::string_view text;
  DType dtype;
};

constexpr NpyType kTypes[] = {
    {"|u1", DType::u8},  {"<f4", DType::f32}, {"|i1", DType::i8},      {"<i2", DType::i16},
    {"<u2", DType::u16}, {"<i4", DType::i32}, {"<u4", DType::u32},     {"<i8", DType::i64},
    {"<u8", DType::u64}, {"<f2", DType::f16}, {"|b1", DType::boolean}, {"<f8", DType::f64},
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
  const bool big_endian = found.starts_with('>');
  fail_input(where + ": element type " + excerpt(found) + (big_endian ? " (big-endian)" : "") +
             ", expected little-endian numbers such as float32 (<f4) or uint8 (|u1); convert it "
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

bool npy_holds(DType dtype) {
  return std::ranges::find(kTypes, dtype, &NpyType::dtype) != std::end(kTypes);
}

std::string npy_header(const Tensor& tensor) {
  const auto type = std::ranges::find(kTypes, tensor.dtype(), &NpyType::dtype);
  COPPICE_CHECK(type != std::end(kTypes), "no npy file holds " + name_of(tensor.dtype()));
  std::string header =
      "{'descr': '" + std::string(type->text) + "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < tensor.shape().size(); ++i) {
    header += (i > 0 ? ", " : "") + std::to_string(tensor.shape()[i]);
  }
  header += tensor.rank() == 1 ? ",), }" : "), }";
  // The elements begin at a multiple of 64, as the format asks for.
  constexpr size_t kBefore = 10, kAlignment = 64;
  while ((kBefore + header.size() + 1) % kAlignment != 0) header += ' ';
  header += '\n';
  COPPICE_CHECK(header.size() < kMostHeaderBytes, "an npy header of version 1 is shorter");
  std::string begin = "\x93NUMPY";
  for (const size_t byte : {size_t{1}, size_t{0}, header.size() & 255, header.size() >> 8}) {
    begin += static_cast<char>(byte);
  }
  return begin + header;
}

void write_npy(const Tensor& tensor, AtomicFile& file) {
  file.write(npy_header(tensor));
  file.write(tensor.bytes());
}

}  // namespace coppice
