#include "core/tensor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/random.h"

namespace coppice {
namespace {

using Keep = std::vector<std::optional<std::vector<int64_t>>>;

// Element by element, by indices along every axis.
Tensor naive_take(const Tensor& tensor, const Keep& keep) {
  Shape shape = tensor.shape();
  for (size_t a = 0; a < shape.size(); ++a) {
    if (keep[a]) shape[a] = std::ssize(*keep[a]);
  }
  Tensor result = Tensor::zeros(tensor.dtype(), shape);
  for (int64_t i = 0; i < result.size(); ++i) {
    int64_t rest = i, from = 0, stride = 1;
    for (size_t a = shape.size(); a-- > 0;) {
      const auto at = rest % shape[a];
      rest /= shape[a];
      from += (keep[a] ? (*keep[a])[static_cast<size_t>(at)] : at) * stride;
      stride *= tensor.shape()[a];
    }
    const size_t width = tensor.bytes().size() / static_cast<size_t>(tensor.size());
    std::ranges::copy(tensor.bytes().subspan(static_cast<size_t>(from) * width, width),
                      result.mutate_bytes().begin() + i * static_cast<int64_t>(width));
  }
  return result;
}

std::vector<int64_t> random_indices(int64_t size, Random& random) {
  std::vector<int64_t> indices;
  const auto count = random.below(static_cast<uint64_t>(size) + 1);
  for (uint64_t i = 0; i < count; ++i) {
    indices.push_back(static_cast<int64_t>(random.below(static_cast<uint64_t>(size))));
  }
  if (random.uniform() < 0.7) std::ranges::sort(indices);
  return indices;
}

Tensor random_tensor(Random& random) {
  Shape shape;
  const uint64_t rank = 1 + random.below(4);
  for (uint64_t a = 0; a < rank; ++a) shape.push_back(1 + static_cast<int64_t>(random.below(7)));
  const DType dtypes[] = {DType::f32, DType::i64, DType::u8, DType::f64};
  Tensor tensor = Tensor::zeros(dtypes[random.below(4)], shape);
  for (std::byte& byte : tensor.mutate_bytes()) byte = static_cast<std::byte>(random.below(256));
  return tensor;
}

TEST(Take, gives_what_a_naive_one_gives_along_any_axes) {
  Random random(1);
  for (int round = 0; round < 2000; ++round) {
    SCOPED_TRACE(round);
    const Tensor tensor = random_tensor(random);
    Keep keep(tensor.shape().size());
    for (size_t a = 0; a < keep.size(); ++a) {
      if (random.uniform() < 0.6) keep[a] = random_indices(tensor.shape()[a], random);
    }
    ASSERT_EQ(take(tensor, keep), naive_take(tensor, keep)) << to_string(tensor.shape());
  }
}

TEST(Take, along_one_axis_is_that_of_many_with_one) {
  Random random(2);
  for (int round = 0; round < 500; ++round) {
    const Tensor tensor = random_tensor(random);
    Keep keep(tensor.shape().size());
    const auto axis = static_cast<int64_t>(random.below(keep.size()));
    keep[static_cast<size_t>(axis)] =
        random_indices(tensor.shape()[static_cast<size_t>(axis)], random);
    ASSERT_EQ(take(tensor, axis, *keep[static_cast<size_t>(axis)]), naive_take(tensor, keep));
  }
}

TEST(Tensor, shared_bytes_are_copied_before_they_are_written) {
  Tensor one = Tensor::of<float>({2}, {1, 2});
  const Tensor other = one;
  one.mutate<float>()[0] = 5;
  EXPECT_EQ(other, Tensor::of<float>({2}, {1, 2}));
  EXPECT_EQ(one, Tensor::of<float>({2}, {5, 2}));
}

TEST(Tensor, bytes_of_another_size_and_sizes_that_overflow_are_refused) {
  const auto bytes = std::make_shared<std::vector<std::byte>>(12);
  EXPECT_THROW(Tensor::view(DType::f32, {4}, bytes, *bytes), Error);
  EXPECT_THROW(element_count({int64_t{1} << 40, int64_t{1} << 40}), Error);
  EXPECT_THROW(element_count({-1}), Error);
  EXPECT_EQ(element_count({}), 1);
}

}  // namespace
}  // namespace coppice
