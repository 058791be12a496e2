// See judging.h.
#include "training/judging/judging.h"

#include <cmath>
#include <numeric>

#include "core/error.h"
#include "data/loader.h"

namespace coppice {

const char* name_of(JudgedBy by) {
  switch (by) {
    case JudgedBy::test: return "test";
    case JudgedBy::held_out: return "held out";
    case JudgedBy::training: return "training images";
  }
  return "";
}

JudgedImages images_to_judge(const Dataset& dataset, std::span<const int64_t> held_out) {
  const bool test = dataset.split() == Split::test;
  if (!test && !held_out.empty()) {
    return {JudgedBy::held_out, {held_out.begin(), held_out.end()}};
  }
  JudgedImages all{test ? JudgedBy::test : JudgedBy::training,
                   std::vector<int64_t>(static_cast<size_t>(dataset.size()))};
  std::iota(all.indices.begin(), all.indices.end(), 0);
  return all;
}

std::optional<std::string> why_hardly_seen(const Dataset& dataset, std::span<const int64_t> indices,
                                           const Preprocessing& preprocessing, const Shape& input) {
  constexpr int64_t kLookedAt = 16;
  constexpr double kEnough = 0.6;
  if (preprocessing.resize > 0) return std::nullopt;
  double least = 1;
  ImageSize widest;  // margin
  for (const int64_t place : sample_images(std::ssize(indices), kLookedAt)) {
    const int64_t index = indices[place];
    within("sample " + std::to_string(index) + " of '" + dataset.name() + "'", [&] {
      const Shape shape = dataset.read(index).pixels.shape();
      const double seen = seen_share({shape[1], shape[2]}, preprocessing, input);
      if (seen < least) widest = {shape[1], shape[2]};
      least = std::min(least, seen);
    });
  }
  if (least >= kEnough) return std::nullopt;
  const ImageSize window = window_size(widest, preprocessing, input);
  return "of images such as one of " + std::to_string(widest.width) + "x" +
         std::to_string(widest.height) + " pixels the model sees the middle " +
         std::to_string(window.width) + "x" + std::to_string(window.height) + " alone, " +
         std::to_string(std::llround(100 * least)) +
         " % of the short side; if it was trained on whole images, add resize=" +
         std::to_string(std::llround(8 * static_cast<double>(window.height) / 7)) +
         " or the like to --preprocess";
}

void require_same_shapes(const Dataset& training, const Dataset& judged) {
  if (training.name() == "images") return;
  const Shape learnt = training.read(0).pixels.shape(), shown = judged.read(0).pixels.shape();
  if (learnt == shown) return;
  fail_input("data set '" + training.name() + "': images to test with are " + to_string(shown) +
             ", those to train on " + to_string(learnt) +
             ", expected one shape; are both of the same data?");
}

}  // namespace coppice
