// A compiled model that any number of threads may run at once: what stands behind the C API
// (coppice_runtime.h), in C++.
//
// Each run takes an Executable that is idle, or a twin of the first one where all are busy; twins
// share the weights and stay for later runs.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "model/input_shapes.h"
#include "runtime/executable.h"

namespace coppice {

struct OpenOptions {
  int threads = 0;    // 0: thread_count()
  int64_t batch = 0;  // 0: 1
  InputShapes input_shapes = {};
  std::string choices_folder = {};  // empty: nowhere
};

class OpenedModel {
 public:
  struct TensorInfo {
    std::string name;
    DType dtype;
    Shape shape;
    size_t bytes;
  };

  // Throws Error::input for files that are none or leave sizes open that no option says,
  // Error::usage for shapes that aren't the model's, Error::target for what can't be run.
  OpenedModel(const std::string& path, const OpenOptions& options);

  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }

  // Requires: pointers to as many bytes as the infos say. Thread-safe.
  void run(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs);

 private:
  Executable take();
  void give_back(Executable executable);

  std::vector<TensorInfo> inputs_, outputs_;
  std::mutex mutex_;  // of idle_
  std::vector<Executable> idle_;
  std::unique_ptr<const Executable> first_;  // never run, so that it may be copied at any time
};

}  // namespace coppice
