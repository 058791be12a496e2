#include "data/parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace coppice {
namespace {

// Images 0 .. count - 1 of ten classes: two thirds of class 0, sorted by class.
class Labels : public Dataset {
 public:
  explicit Labels(int64_t count) : count_(count) {}
  int64_t size() const override { return count_; }
  int64_t classes() const override { return 10; }
  std::string name() const override { return "labels"; }
  Split split() const override { return Split::train; }
  Sample read(int64_t index) const override {
    const int64_t first = 2 * count_ / 3, others = count_ - first;
    return {.pixels = {}, .label = index < first ? 0 : 1 + (index - first) * 9 / others};
  }
  std::optional<Preprocessing> own_preprocessing() const override { return {}; }

 private:
  int64_t count_;
};

std::vector<int64_t> first(int64_t count) {
  std::vector<int64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

std::vector<int64_t> all_of(const Parts& parts) {
  std::vector<int64_t> all;
  for (const auto& [part, images] : parts) {
    EXPECT_TRUE(std::ranges::is_sorted(images)) << name_of(part);
    all.insert(all.end(), images.begin(), images.end());
  }
  std::ranges::sort(all);
  return all;
}

TEST(Parts, are_ascending_have_their_shares_and_make_up_the_whole) {
  for (const auto drawn : {PartShares::Drawn::anyhow, PartShares::Drawn::by_class}) {
    for (const int64_t count : {1, 2, 10, 1000}) {
      for (const double share : {0.0, 0.1, 0.25}) {
        const PartShares shares{
            .held_out = share, .search = share / 2, .recalibration = 0.01, .drawn = drawn};
        const Parts parts = parts_of(Labels(count), shares);
        EXPECT_EQ(std::ssize(parts), std::ssize(kParts));
        EXPECT_EQ(all_of(parts), first(count));
        const auto size = [&](double of) { return std::llround(of * static_cast<double>(count)); };
        EXPECT_EQ(std::ssize(parts.at(Part::held_out)), size(share));
        EXPECT_EQ(std::ssize(parts.at(Part::search)), size(share / 2));
        EXPECT_EQ(std::ssize(parts.at(Part::recalibration)), size(0.01));
      }
    }
  }
  EXPECT_TRUE(parts_of(Labels(7), {.held_out = 1}).at(Part::training).empty());
  EXPECT_EQ(all_of(parts_of(Labels(3), {.held_out = 0.5, .search = 0.5})), first(3));
}

TEST(Parts, the_images_held_out_are_the_same_whatever_else_is_parted_off) {
  const Parts plain = parts_of(Labels(1000), {.held_out = 0.1});
  const Parts more = parts_of(Labels(1000), {.held_out = 0.1, .search = 0.2, .recalibration = 0.1});
  EXPECT_EQ(plain, parts_of(Labels(1000), {.held_out = 0.1}));
  EXPECT_EQ(more.at(Part::held_out), plain.at(Part::held_out));
}

TEST(Parts, drawn_by_class_they_have_the_same_share_of_every_class) {
  const Labels dataset(900);
  const Parts parts = parts_of(dataset, {.held_out = 0.2,
                                         .search = 0.1,
                                         .recalibration = 0.05,
                                         .drawn = PartShares::Drawn::by_class});
  const Parts anyhow = parts_of(dataset, {.held_out = 0.2});
  EXPECT_NE(parts.at(Part::held_out), anyhow.at(Part::held_out));
  for (const Part part : kParts) {
    const auto& images = parts.at(part);
    const double share = static_cast<double>(images.size()) / 900;
    for (int64_t label = 0; label < 10; ++label) {
      const auto of_class = [&](int64_t image) { return dataset.label(image) == label; };
      const double all = label == 0 ? 600 : 300.0 / 9;
      const auto found = static_cast<double>(std::ranges::count_if(images, of_class));
      EXPECT_NEAR(found, share * all, 2.5) << name_of(part) << ", class " << label;
    }
  }
}

}  // namespace
}  // namespace coppice
