// See tensors.h.
#include "libtorch/tensors.h"

#include <cstring>

#include "core/error.h"

namespace coppice::train {
namespace {

DType dtype_of_torch(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return DType::f32;
    case at::kDouble: return DType::f64;
    case at::kHalf: return DType::f16;
    case at::kBFloat16: return DType::bf16;
    case at::kLong: return DType::i64;
    case at::kInt: return DType::i32;
    case at::kShort: return DType::i16;
    case at::kChar: return DType::i8;
    case at::kByte: return DType::u8;
    case at::kBool: return DType::boolean;
    default: COPPICE_CHECK(false, "a LibTorch element type that no graph has"); return {};
  }
}

}  // namespace

std::optional<at::ScalarType> torch_type_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return at::kFloat;
    case DType::f64: return at::kDouble;
    case DType::f16: return at::kHalf;
    case DType::bf16: return at::kBFloat16;
    case DType::i64: return at::kLong;
    case DType::i32: return at::kInt;
    case DType::i16: return at::kShort;
    case DType::i8: return at::kChar;
    case DType::u8: return at::kByte;
    case DType::boolean: return at::kBool;
    default: return std::nullopt;
  }
}

at::Tensor to_torch(const Tensor& tensor, at::Device device) {
  const auto type = torch_type_of(tensor.dtype());
  if (!type) fail_input("tensors of " + name_of(tensor.dtype()) + " can't be used in training");
  // From pinned memory CUDA copies by itself while the CPU goes on.
  at::Tensor copy =
      at::empty(tensor.shape(), at::TensorOptions(*type).pinned_memory(device.is_cuda()));
  std::memcpy(copy.data_ptr(), tensor.bytes().data(), tensor.bytes().size());
  return copy.to(device, /*non_blocking=*/true);
}

at::Tensor in_double(const at::Tensor& tensor) {
  const bool single = tensor.defined() && tensor.scalar_type() == at::kFloat;
  return single ? tensor.to(at::kDouble) : tensor;
}

Tensor from_torch(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous();
  Tensor copy = Tensor::zeros(dtype_of_torch(plain.scalar_type()), plain.sizes().vec());
  const auto bytes = copy.mutate_bytes();
  std::memcpy(bytes.data(), plain.data_ptr(), bytes.size());
  return copy;
}

}  // namespace coppice::train
