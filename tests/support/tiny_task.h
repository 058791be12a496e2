// Test support: what a task that trains needs, tiny: images in a folder, and a trainer that only
// pretends to train. Included only by tests.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/files.h"
#include "data/formats/npy.h"
#include "onnx/onnx.h"
#include "support/fake_trainer.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"
#include "support/watcher.h"
#include "tasks/parts/common.h"

namespace coppice {

// 60 images of 4x4 grey pixels that can be told apart, of 3 classes.
class TinyTask : public testing::Test {
 protected:
  TinyTask() {
    constexpr int64_t images = 60, classes = 3, size = 16;
    Tensor pixels = Tensor::zeros(DType::u8, {images, 1, 4, 4});
    Tensor labels = Tensor::zeros(DType::i64, {images});
    for (int64_t i = 0; i < images; ++i) {
      labels.mutate<int64_t>()[i] = i % classes;
      for (int64_t p = 0; p < size; ++p) {
        pixels.mutate<uint8_t>()[i * size + p] = static_cast<uint8_t>((i * (p + 1) * 7) % 251);
      }
    }
    write("x.npy", pixels);
    write("y.npy", labels);
  }

  std::string path(const std::string& name) const { return dir_ / name; }
  std::string data() const { return "npy:" + path("x.npy") + "," + path("y.npy"); }

  void write(const std::string& name, const Tensor& tensor) const {
    AtomicFile file(path(name));
    write_npy(tensor, file);
    file.commit();
  }
  void write(const std::string& name, const Graph& graph) const {
    AtomicFile file(path(name));
    write_onnx(graph, file, {});
    file.commit();
  }

  // Counts its trainings.
  CommonRequest common(uint64_t seed) {
    CommonRequest common{.seed = seed};
    common.open_trainer = [this](const TrainerOptions&) {
      ++trainings_;
      return std::make_unique<FakeTrainer>();
    };
    return common;
  }

  TempDir dir_;
  HeardWatcher watcher_;
  int64_t trainings_ = 0;
};

}  // namespace coppice
