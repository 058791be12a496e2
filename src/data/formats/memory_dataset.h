// A data set that lies in memory: what the idx, CIFAR and npy readers end in.
//
// Samples are views of the file buffers: image i of a part begins at i * stride, so records such
// as CIFAR's (label byte, pixels) need no copy. Nothing changes after construction, so reads are
// thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace coppice {

struct MemoryPart {
  std::shared_ptr<const void> owner;  // keeps `bytes` alive
  std::span<const std::byte> bytes;   // begin with image 0
  size_t stride_bytes = 0;            // from one image to the next
  int64_t count = 0;
};

struct MemoryImages {
  std::string name;
  Split split = Split::train;  // whose images they are
  int64_t classes = 0;
  DType dtype = DType::u8;
  Shape shape;  // of one image: [C, H, W]
  std::vector<MemoryPart> parts;
  std::vector<int64_t> labels;  // of all parts in order
  std::optional<Preprocessing> preprocessing;
  Augmentation augmentation;
};

// Requires: as many labels as images, every image within its part's bytes and aligned for
// dtype.
std::unique_ptr<Dataset> make_memory_dataset(MemoryImages images);

}  // namespace coppice
