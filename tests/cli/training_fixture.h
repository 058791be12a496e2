// Small images that LeNet-5 learns in seconds, and the commands that train on them. Skipped where
// the training half wasn't built.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "cli/program.h"
#include "core/files.h"
#include "core/random.h"
#include "support/temp_dir.h"

namespace coppice {

inline constexpr int64_t kImages = 640, kSide = 28, kClasses = 10;

inline std::string npy(const std::string& type, const std::string& shape,
                       const std::string& bytes) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  const char size[] = {static_cast<char>(header.size() % 256),
                       static_cast<char>(header.size() / 256)};
  return std::string("\x93NUMPY\x01\x00", 8) + std::string(size, 2) + header + bytes;
}

// Small data, quickly learnt: every class is its own random pattern, with noise on it.
class Training : public testing::Test {
 protected:
  void SetUp() override {
    const auto library = std::filesystem::path(COPPICE_PROGRAM).parent_path();
    if (!std::filesystem::exists(library / "libcoppice_train.so")) {
      GTEST_SKIP() << "built without training";
    }
    std::string pixels, labels;
    for (int64_t i = 0; i < kImages; ++i) {
      const int64_t label = i % kClasses;
      Random pattern = Random::stream(1, {static_cast<uint64_t>(label)});
      Random noise = Random::stream(2, {static_cast<uint64_t>(i)});
      for (int64_t p = 0; p < kSide * kSide; ++p) {
        pixels += static_cast<char>(pattern.below(2) * 150 + noise.below(100));
      }
      labels += static_cast<char>(label);
    }
    write_text(folder_ / "x.npy", npy("|u1", "(640, 28, 28)", pixels));
    write_text(folder_ / "y.npy", npy("|u1", "(640,)", labels));
    data_ = "npy:" + (folder_ / "x.npy").string() + "," + (folder_ / "y.npy").string();
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  Arguments train(const std::string& output, int epochs, const Arguments& more = {}) const {
    Arguments all = {"train",   "zoo:lenet5", "--data",     data_,      "--preprocess",
                     "mnist",   "-o",         path(output), "--epochs", std::to_string(epochs),
                     "--batch", "64",         "--seed",     "3",        "--threads",
                     "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Arguments prune(const std::string& output, const Arguments& more) const {
    Arguments all = {"prune",     path("lenet5.onnx"),
                     "--data",    data_,
                     "-o",        path(output),
                     "--plan",    path(output + ".plan.json"),
                     "--latency", "off",
                     "--batch",   "64",
                     "--threads", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  TempDir folder_;
  std::string data_;
};

inline Arguments resumed(Arguments arguments) {
  arguments.emplace_back("--resume");
  return arguments;
}

}  // namespace coppice
