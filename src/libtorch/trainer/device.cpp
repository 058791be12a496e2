#include "libtorch/trainer/device.h"

#include <cstdlib>

#include "core/error.h"
#include "libtorch/torch.h"

namespace coppice::train {
namespace {

// As far as LibTorch can: for the gradients of some pools and resizings it has nothing but sums in
// any order, and warns. Its kernels on the CPU have one order each.
void want_same_bits_on_cuda() {
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);  // read when cuBLAS starts
  at::Context& context = at::globalContext();
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  context.setDeterministicAlgorithms(true, /*warn_only=*/true);
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 2)
  // With deterministic algorithms fresh memory is filled with NaN, too. Nothing here reads it.
  context.setDeterministicFillUninitializedMemory(false);
#endif
  // TF32 keeps 10 bits of a factor's 23, on by default for convolutions.
  context.setAllowTF32CuBLAS(false);
  context.setAllowTF32CuDNN(false);
}

}  // namespace

at::Device open_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (name != "cuda") fail_usage("device '" + name + "': expected cpu or cuda");
  if (!at::hasCUDA()) {
    fail_usage(
        "device 'cuda': this LibTorch has none, or finds none on this machine; use --device cpu");
  }
  want_same_bits_on_cuda();
  return at::Device(at::kCUDA, 0);
}

}  // namespace coppice::train
