// Codes come back by every stream; neighbours that resemble each other cost less.
#include "codec/coders/code_streams.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/error.h"
#include "core/random.h"

namespace coppice::codec {
namespace {

Codes codes_of(const std::vector<uint32_t>& values, int width) {
  CodebookBuilder builder(values.size());
  for (const uint32_t value : values) builder.add(value);
  return builder.finish(width);
}

TEST(CodeStreams, codes_come_back_by_every_stream) {
  Random random(1);
  for (const int width : {1, 2, 4}) {
    for (const uint64_t distinct : {1, 2, 3, 16, 255, 3000}) {
      std::vector<uint32_t> values(36 * 10);
      const uint64_t limit = width == 1 ? 256 : 65536;
      for (uint32_t& value : values) {
        value = static_cast<uint32_t>(random.below(distinct) * 7919 % limit);
      }
      const Codes codes = codes_of(values, width);
      const Geometry geometry{36, 9, 3};
      Bytes out(values.size() * static_cast<size_t>(width)), expected;
      for (const uint32_t value : values) append_fixed(expected, value, width);
      const Entries entries{.elements = out.data(), .width_bytes = width, .count = values.size()};
      const Bytes packed = encode_packed(codes);
      EXPECT_EQ(packed.size(), (values.size() * bits_for(codes.codebook.size()) + 7) / 8);
      decode_packed(packed, codes.codebook, entries);
      ASSERT_EQ(out, expected);
      const Bytes huffman = encode_huffman(codes);
      ByteReader reader(huffman);
      out.assign(out.size(), std::byte{0});
      decode_huffman(reader, codes.codebook, entries);
      ASSERT_EQ(out, expected);
      out.assign(out.size(), std::byte{0});
      decode_context(encode_context(codes, {}, width, geometry), codes.codebook, entries, geometry);
      ASSERT_EQ(out, expected);
    }
  }
}

TEST(CodeStreams, kernels_of_one_sign_cost_less_than_their_entropy) {
  Random random(2);
  std::vector<uint32_t> values;
  for (int kernel = 0; kernel < 4000; ++kernel) {
    const uint32_t sign = random.below(2) ? 0x80000000u : 0;
    for (int i = 0; i < 9; ++i)
      values.push_back(sign | static_cast<uint32_t>(0x3f000000 + random.below(16)));
  }
  const Codes codes = codes_of(values, 4);
  const Bytes bytes = encode_context(codes, {}, 4, {360, 9, 3});
  EXPECT_LT(static_cast<double>(8 * bytes.size()), 0.85 * entropy_bits(codes.counts));
  EXPECT_GT(static_cast<double>(8 * encode_context(codes, {}, 4, {360, 1, 1}).size()),
            0.99 * entropy_bits(codes.counts));
}

TEST(CodeStreams, codes_beyond_the_codebook_and_streams_that_end_are_refused) {
  Bytes out(12);
  const Entries entries{.elements = out.data(), .width_bytes = 4, .count = 3};
  const Bytes bytes = {std::byte{0b111001}};  // codes 1, 2, 3 of two bits
  EXPECT_THROW(decode_packed(bytes, {5, 6, 7}, entries), Error);
  EXPECT_NO_THROW(decode_packed(bytes, {5, 6, 7, 8}, entries));
  EXPECT_THROW(decode_packed({}, {5, 6, 7, 8}, entries), Error);
  EXPECT_THROW(decode_context(Bytes(1, std::byte{0}), {5, 6, 7}, entries, {3, 1, 1}), Error);
}

TEST(CodeStreams, bits_are_those_of_the_largest_code) {
  EXPECT_EQ(bits_for(1), 0);
  EXPECT_EQ(bits_for(2), 1);
  EXPECT_EQ(bits_for(3), 2);
  EXPECT_EQ(bits_for(256), 8);
  EXPECT_EQ(bits_for(257), 9);
}

}  // namespace
}  // namespace coppice::codec
