// Byte planes come back at any width; exponents of weights shrink.
#include "codec/coders/planes.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "core/random.h"

namespace coppice::codec {
namespace {

TEST(Planes, elements_of_any_width_come_back) {
  Random random(1);
  for (const int width : {1, 2, 4, 8}) {
    for (const size_t count : {1, 2, 100, 5000}) {
      for (const int kind : {0, 1, 2}) {  // noise, small numbers, one value
        Bytes elements(count * static_cast<size_t>(width));
        for (size_t i = 0; i < elements.size(); ++i) {
          const bool low = i % static_cast<size_t>(width) == 0;
          if (kind == 0 || (kind == 1 && low)) elements[i] = static_cast<std::byte>(random.next());
          if (kind == 2) elements[i] = std::byte{0x81};
        }
        for (const PlaneCoders coders : {PlaneCoders::raw_and_huffman, PlaneCoders::all}) {
          const Bytes bytes = encode_planes(elements, width, coders);
          Bytes back(elements.size());
          ByteReader reader(bytes);
          decode_planes(reader, {.elements = back.data(), .width_bytes = width, .count = count});
          ASSERT_EQ(back, elements);
          ASSERT_EQ(reader.left(), 0u);
        }
      }
    }
  }
}

TEST(Planes, weights_of_a_normal_distribution_lose_a_sixth) {
  std::vector<float> weights(100000);
  Random(2).fill_normal(weights, 0.05f);
  const auto elements = std::as_bytes(std::span(weights));
  const auto huffman = encode_planes(elements, 4, PlaneCoders::raw_and_huffman).size();
  const auto all = encode_planes(elements, 4, PlaneCoders::all).size();
  EXPECT_LT(static_cast<double>(huffman), 0.84 * static_cast<double>(elements.size()));
  EXPECT_LE(all, huffman);
}

TEST(Planes, an_unknown_coding_names_its_plane) {
  Bytes bytes(1, std::byte{9}), back(4);
  ByteReader reader(bytes);
  try {
    decode_planes(reader, {.elements = back.data(), .width_bytes = 4, .count = 1});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "plane 0: coding 9, expected 0 to 2");
  }
}

}  // namespace
}  // namespace coppice::codec
