// A tensor as plain data: element type, shape and row-major bytes that are shared until written.
//
// Copying a Tensor shares its bytes; `mutate` copies them first when anybody else (another Tensor,
// or the file buffer they were read from) holds them too. `take`, the one operation that surgery is
// made of, works on the bytes of any element type that has a whole number of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace coppice {

using Shape = std::vector<int64_t>;

// Numbered as ONNX numbers TensorProto.DataType; numbers we don't name are carried unchanged.
enum class DType : int32_t {
  undefined = 0,
  f32 = 1,
  u8 = 2,
  i8 = 3,
  u16 = 4,
  i16 = 5,
  i32 = 6,
  i64 = 7,
  string = 8,
  boolean = 9,
  f16 = 10,
  f64 = 11,
  u32 = 12,
  u64 = 13,
  c64 = 14,
  c128 = 15,
  bf16 = 16,
};

// Bytes of one element; 0 where an element is not a whole number of bytes or has no fixed size.
size_t size_of(DType dtype);
std::string name_of(DType dtype);
bool is_floating(DType dtype);  // f16, bf16, f32, f64

template <typename T>
inline constexpr DType dtype_of = DType::undefined;
template <>
inline constexpr DType dtype_of<float> = DType::f32;
template <>
inline constexpr DType dtype_of<double> = DType::f64;
template <>
inline constexpr DType dtype_of<int64_t> = DType::i64;
template <>
inline constexpr DType dtype_of<int32_t> = DType::i32;
template <>
inline constexpr DType dtype_of<uint8_t> = DType::u8;
template <>
inline constexpr DType dtype_of<int8_t> = DType::i8;
template <>
inline constexpr DType dtype_of<bool> = DType::boolean;

// Product of the sizes; 1 for rank 0. Throws Error::input when it overflows or a size is negative.
int64_t element_count(const Shape& shape);
// "2x3x4"; "scalar" for rank 0.
std::string to_string(const Shape& shape);

class Tensor {
 public:
  Tensor() = default;

  static Tensor zeros(DType dtype, Shape shape);
  // Bytes that belong to `owner`, which is kept alive. Throws Error::input unless `bytes` has just
  // the size that dtype and shape ask for.
  static Tensor view(DType dtype, Shape shape, std::shared_ptr<const void> owner,
                     std::span<const std::byte> bytes);
  template <typename T>
  static Tensor of(Shape shape, std::span<const T> elements) {
    Tensor tensor = zeros(dtype_of<T>, std::move(shape));
    tensor.fill_from(std::as_bytes(elements));
    return tensor;
  }
  template <typename T>
  static Tensor of(Shape shape, const std::vector<T>& elements) {
    return of<T>(std::move(shape), std::span<const T>(elements));
  }
  static Tensor scalar(float value);
  static Tensor vector(const std::vector<int64_t>& values);  // rank 1, i64

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t rank() const { return static_cast<int64_t>(shape_.size()); }
  int64_t size() const { return count_; }  // elements
  std::span<const std::byte> bytes() const { return {data_, bytes_}; }

  // Elements in row-major order. Requires: T is the type of dtype().
  template <typename T>
  std::span<const T> as() const {
    require_dtype(dtype_of<T>);
    return {reinterpret_cast<const T*>(data_), static_cast<size_t>(count_)};
  }
  // The same, to write to; copies shared bytes first.
  template <typename T>
  std::span<T> mutate() {
    require_dtype(dtype_of<T>);
    return {reinterpret_cast<T*>(mutable_data()), static_cast<size_t>(count_)};
  }
  std::span<std::byte> mutate_bytes() { return {mutable_data(), bytes_}; }

  // The same bytes under another shape. Requires: equal element count.
  Tensor reshaped(Shape shape) const;

  friend bool operator==(const Tensor& a, const Tensor& b);  // dtype, shape and bytes

 private:
  void require_dtype(DType dtype) const;
  std::byte* mutable_data();
  void fill_from(std::span<const std::byte> bytes);

  DType dtype_ = DType::undefined;
  Shape shape_;
  int64_t count_ = 0;
  size_t bytes_ = 0;
  std::shared_ptr<const void> owner_;
  const std::byte* data_ = nullptr;
  bool owned_ =
      false;  // owner_ is a buffer that a Tensor allocated, so it may be written if unshared
};

// The slices `keep` of `axis`, in that order: shape[axis] becomes keep.size().
// Requires: 0 <= axis < rank, every index within the axis, size_of(dtype) > 0.
Tensor take(const Tensor& tensor, int64_t axis, std::span<const int64_t> keep);
// The same for several axes at once: keep[a] for axis a, nothing for a whole axis. One copy, where
// axis after axis would make one each.
Tensor take(const Tensor& tensor, const std::vector<std::optional<std::vector<int64_t>>>& keep);

// Integers of any integer type or bool, widened. Throws Error::input for any other type.
std::vector<int64_t> to_int64s(const Tensor& tensor);

// Sets the slices `indices` of `axis` to `value` (f32 only) or to zero bytes (any dtype, value 0).
void fill_slices(Tensor& tensor, int64_t axis, std::span<const int64_t> indices, float value = 0);

}  // namespace coppice
