// Codebooks keep bit patterns and stand in the order of floats.
#include "codec/tensor/codebook.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/random.h"

namespace coppice::codec {
namespace {

TEST(Codebook, values_of_any_width_come_back_with_their_codes) {
  Random random(1);
  for (const int width : {1, 2, 4}) {
    for (const uint64_t distinct : {1, 2, 17, 255, 5000}) {
      CodebookBuilder builder(10000);
      std::vector<uint32_t> values;
      std::vector<uint32_t> pool;
      for (uint64_t i = 0; i < distinct; ++i) {
        pool.push_back(static_cast<uint32_t>(random.next() >> (64 - 8 * width)));
      }
      for (int i = 0; i < 10000; ++i) {
        values.push_back(pool[random.below(pool.size())]);
        builder.add(values.back());
      }
      const Codes codes = builder.finish(width);
      EXPECT_EQ(codes.codebook.size(), std::set<uint32_t>(values.begin(), values.end()).size());
      std::vector<uint64_t> counts(codes.codebook.size(), 0);
      for (size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(codes.codebook[codes.codes[i]], values[i]);
        ++counts[codes.codes[i]];
      }
      EXPECT_EQ(codes.counts, counts);
      Bytes bytes;
      append_codebook(bytes, codes.codebook, width);
      ByteReader reader(bytes);
      EXPECT_EQ(take_codebook(reader, kMaxCodebook, width), codes.codebook);
      EXPECT_EQ(reader.left(), 0u);
    }
  }
}

TEST(Codebook, extremes_nans_and_negative_zero_come_back) {
  const Codebook codebook = {0xffffffff, 0xff800001, 0xff800000, 0x80000000,
                             0,          1,          0x7fc00000, 0x7fffffff};
  Bytes bytes;
  append_codebook(bytes, codebook, 4);
  ByteReader reader(bytes);
  EXPECT_EQ(take_codebook(reader, 8, 4), codebook);
}

TEST(Codebook, two_hundred_normal_values_take_three_quarters_of_their_bytes) {
  Random random(2);
  CodebookBuilder builder(256);
  for (int i = 0; i < 256; ++i)
    builder.add(std::bit_cast<uint32_t>(static_cast<float>(random.normal())));
  Bytes bytes;
  append_codebook(bytes, builder.finish(4).codebook, 4);
  EXPECT_LT(bytes.size(), 256u * 3);
}

TEST(Codebook, a_builder_is_full_beyond_65535_values) {
  CodebookBuilder builder(1 << 20);
  for (uint32_t i = 0; i < kMaxCodebook; ++i) builder.add(i * 77 + 1);
  EXPECT_FALSE(builder.full());
  builder.add(0);
  EXPECT_TRUE(builder.full());
}

TEST(Codebook, sizes_out_of_range_are_refused) {
  Bytes none, many;
  append_varint(none, 0);
  append_varint(many, 4);
  ByteReader a(none), b(many);
  EXPECT_THROW(take_codebook(a, 3, 4), Error);
  EXPECT_THROW(take_codebook(b, 3, 4), Error);
  Bytes wide;  // two values whose second lies beyond a byte
  append_codebook(wide, {0xff, 0x7fffffff}, 4);
  ByteReader c(wide);
  EXPECT_THROW(take_codebook(c, 3, 1), Error);
}

TEST(Codebook, fillers_take_code_zero) {
  CodebookBuilder builder(4);
  for (const uint32_t value : {7, 9, 7}) builder.add(value);
  const Codes codes = with_fillers(builder.finish(4), {true, false, false, true, false});
  EXPECT_EQ(codes.codes, (std::vector<uint16_t>{0, 1, 2, 0, 1}));
  EXPECT_EQ(codes.counts, (std::vector<uint64_t>{2, 2, 1}));
  EXPECT_TRUE(codes.fillers);
}

}  // namespace
}  // namespace coppice::codec
