#include "core/tensor.h"

#include <cstdlib>
#include <cstring>

#include "core/error.h"

namespace coppice {
namespace {

struct DTypeInfo {
  DType dtype;
  const char* name;
  size_t bytes;
};

constexpr DTypeInfo kDTypes[] = {{DType::undefined, "undefined", 0},
                                 {DType::f32, "float32", 4},
                                 {DType::u8, "uint8", 1},
                                 {DType::i8, "int8", 1},
                                 {DType::u16, "uint16", 2},
                                 {DType::i16, "int16", 2},
                                 {DType::i32, "int32", 4},
                                 {DType::i64, "int64", 8},
                                 {DType::string, "string", 0},
                                 {DType::boolean, "bool", 1},
                                 {DType::f16, "float16", 2},
                                 {DType::f64, "float64", 8},
                                 {DType::u32, "uint32", 4},
                                 {DType::u64, "uint64", 8},
                                 {DType::c64, "complex64", 8},
                                 {DType::c128, "complex128", 16},
                                 {DType::bf16, "bfloat16", 2}};

std::shared_ptr<void> allocate_zeroed(size_t bytes) {
  void* memory = std::calloc(bytes > 0 ? bytes : 1, 1);
  if (!memory) throw std::bad_alloc();
  return {memory, std::free};
}

size_t byte_count(DType dtype, int64_t count) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<size_t>(count), size_of(dtype), &bytes)) {
    fail_input("a tensor of " + std::to_string(count) + " elements does not fit into memory");
  }
  return bytes;
}

template <typename T>
void widen(const Tensor& tensor, std::vector<int64_t>& values) {
  const T* data = reinterpret_cast<const T*>(tensor.bytes().data());
  for (int64_t i = 0; i < tensor.size(); ++i) values.push_back(static_cast<int64_t>(data[i]));
}

}  // namespace

size_t size_of(DType dtype) {
  for (const DTypeInfo& info : kDTypes) {
    if (info.dtype == dtype) return info.bytes;
  }
  return 0;
}

std::string name_of(DType dtype) {
  for (const DTypeInfo& info : kDTypes) {
    if (info.dtype == dtype) return info.name;
  }
  // Elements of fewer bits, from 17 on; they are carried and never looked into.
  constexpr const char* kCarried[] = {"float8e4m3fn",   "float8e4m3fnuz", "float8e5m2",
                                      "float8e5m2fnuz", "uint4",          "int4",
                                      "float4e2m1"};
  const auto number = static_cast<int32_t>(dtype);
  const int32_t place = number - 17;
  if (place >= 0 && place < std::ssize(kCarried)) return kCarried[place];
  return "type " + std::to_string(number);
}

bool is_floating(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f64 || dtype == DType::f16 || dtype == DType::bf16;
}

int64_t element_count(const Shape& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (size < 0) fail_input("shape " + to_string(shape) + " has a negative size");
    if (__builtin_mul_overflow(count, size, &count)) {
      fail_input("shape " + to_string(shape) + " has more elements than can be counted");
    }
  }
  return count;
}

std::string to_string(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const int64_t size : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(size);
  }
  return text;
}

Tensor Tensor::zeros(DType dtype, Shape shape) {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.count_ = element_count(shape);
  tensor.shape_ = std::move(shape);
  tensor.bytes_ = byte_count(dtype, tensor.count_);
  auto memory = allocate_zeroed(tensor.bytes_);
  tensor.data_ = static_cast<const std::byte*>(memory.get());
  tensor.owner_ = std::move(memory);
  tensor.owned_ = true;
  return tensor;
}

Tensor Tensor::view(DType dtype, Shape shape, std::shared_ptr<const void> owner,
                    std::span<const std::byte> bytes) {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.count_ = element_count(shape);
  tensor.shape_ = std::move(shape);
  tensor.bytes_ = byte_count(dtype, tensor.count_);
  if (size_of(dtype) == 0) tensor.bytes_ = bytes.size();  // carried, never looked into
  if (bytes.size() != tensor.bytes_) {
    fail_input("a " + name_of(dtype) + " tensor of shape " + to_string(tensor.shape_) + " has " +
               std::to_string(bytes.size()) + " bytes, expected " + std::to_string(tensor.bytes_));
  }
  tensor.owner_ = std::move(owner);
  tensor.data_ = bytes.data();
  return tensor;
}

Tensor Tensor::scalar(float value) { return of<float>({}, std::span<const float>(&value, 1)); }

Tensor Tensor::vector(const std::vector<int64_t>& values) {
  return of<int64_t>({static_cast<int64_t>(values.size())}, values);
}

Tensor Tensor::reshaped(Shape shape) const {
  COPPICE_CHECK(element_count(shape) == count_, "reshape of " + to_string(shape_) + " to " +
                                                    to_string(shape) + " changes the count");
  Tensor tensor = *this;
  tensor.shape_ = std::move(shape);
  return tensor;
}

bool operator==(const Tensor& a, const Tensor& b) {
  return a.dtype_ == b.dtype_ && a.shape_ == b.shape_ && a.bytes_ == b.bytes_ &&
         (a.bytes_ == 0 || std::memcmp(a.data_, b.data_, a.bytes_) == 0);
}

void Tensor::require_dtype(DType dtype) const {
  COPPICE_CHECK(dtype_ == dtype, "tensor is " + name_of(dtype_) + ", not " + name_of(dtype));
}

std::byte* Tensor::mutable_data() {
  if (!owned_ || owner_.use_count() > 1) {
    auto memory = allocate_zeroed(bytes_);
    if (bytes_ > 0) std::memcpy(memory.get(), data_, bytes_);
    data_ = static_cast<const std::byte*>(memory.get());
    owner_ = std::move(memory);
    owned_ = true;
  }
  return const_cast<std::byte*>(data_);
}

void Tensor::fill_from(std::span<const std::byte> bytes) {
  COPPICE_CHECK(bytes.size() == bytes_, "tensor of shape " + to_string(shape_) + " filled with " +
                                            std::to_string(bytes.size()) + " bytes");
  if (bytes_ > 0) std::memcpy(mutable_data(), bytes.data(), bytes_);
}

Tensor take(const Tensor& tensor, int64_t axis, std::span<const int64_t> keep) {
  COPPICE_CHECK(axis >= 0 && axis < tensor.rank(), "take: axis out of range");
  std::vector<std::optional<std::vector<int64_t>>> all(tensor.shape().size());
  all[axis].emplace(keep.begin(), keep.end());
  return take(tensor, all);
}

Tensor take(const Tensor& tensor, const std::vector<std::optional<std::vector<int64_t>>>& keep) {
  COPPICE_CHECK(keep.size() == tensor.shape().size(), "take: one entry an axis");
  COPPICE_CHECK(size_of(tensor.dtype()) > 0, "take: element type without a size");
  Shape shape = tensor.shape();
  size_t last = 0;  // the innermost axis that is cut; whatever lies inside it is copied whole
  for (size_t axis = 0; axis < keep.size(); ++axis) {
    if (!keep[axis]) continue;
    last = axis;
    for (const int64_t index : *keep[axis]) {
      COPPICE_CHECK(index >= 0 && index < shape[axis], "take: index out of range");
    }
    shape[axis] = static_cast<int64_t>(keep[axis]->size());
  }
  if (keep.empty() || !keep[last]) return tensor;

  Tensor result = Tensor::zeros(tensor.dtype(), shape);
  if (result.size() == 0) return result;
  std::vector<size_t> strides(keep.size());  // of the source, in bytes
  size_t stride = size_of(tensor.dtype());
  for (size_t axis = keep.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= static_cast<size_t>(tensor.shape()[axis]);
  }
  const auto source_index = [&](size_t axis, int64_t position) {
    return static_cast<size_t>(keep[axis] ? (*keep[axis])[position] : position);
  };
  const std::vector<int64_t>& run = *keep[last];
  std::byte* target = result.mutate_bytes().data();
  std::vector<int64_t> position(last, 0);
  while (true) {
    const std::byte* source = tensor.bytes().data();
    for (size_t axis = 0; axis < last; ++axis) {
      source += source_index(axis, position[axis]) * strides[axis];
    }
    for (size_t k = 0; k < run.size();) {
      // Neighbours are copied at once: most cuts keep long runs.
      size_t length = 1;
      while (k + length < run.size() && run[k + length] == run[k] + static_cast<int64_t>(length)) {
        ++length;
      }
      std::memcpy(target, source + static_cast<size_t>(run[k]) * strides[last],
                  length * strides[last]);
      target += length * strides[last];
      k += length;
    }
    size_t axis = last;
    while (axis > 0 && ++position[axis - 1] == shape[axis - 1]) position[--axis] = 0;
    if (axis == 0) return result;
  }
}

std::vector<int64_t> to_int64s(const Tensor& tensor) {
  std::vector<int64_t> values;
  values.reserve(tensor.size());
  switch (tensor.dtype()) {
    case DType::i64: widen<int64_t>(tensor, values); break;
    case DType::i32: widen<int32_t>(tensor, values); break;
    case DType::i16: widen<int16_t>(tensor, values); break;
    case DType::i8: widen<int8_t>(tensor, values); break;
    case DType::u8: widen<uint8_t>(tensor, values); break;
    case DType::u16: widen<uint16_t>(tensor, values); break;
    case DType::u32: widen<uint32_t>(tensor, values); break;
    case DType::boolean: widen<uint8_t>(tensor, values); break;
    default: fail_input("found a tensor of " + name_of(tensor.dtype()) + ", expected integers");
  }
  return values;
}

void fill_slices(Tensor& tensor, int64_t axis, std::span<const int64_t> indices, float value) {
  COPPICE_CHECK(axis >= 0 && axis < tensor.rank(), "fill_slices: axis out of range");
  COPPICE_CHECK(value == 0 || tensor.dtype() == DType::f32, "fill_slices: a value needs float32");
  size_t outer = 1, inner = size_of(tensor.dtype());
  for (int64_t i = 0; i < axis; ++i) outer *= tensor.shape()[i];
  for (int64_t i = axis + 1; i < tensor.rank(); ++i) inner *= tensor.shape()[i];
  const size_t row = inner * tensor.shape()[axis];
  std::byte* data = tensor.mutate_bytes().data();
  for (size_t o = 0; o < outer; ++o) {
    for (const int64_t index : indices) {
      std::byte* slice = data + o * row + index * inner;
      if (value == 0) {
        std::memset(slice, 0, inner);
      } else {
        float* floats = reinterpret_cast<float*>(slice);
        std::fill(floats, floats + inner / sizeof(float), value);
      }
    }
  }
}

}  // namespace coppice
