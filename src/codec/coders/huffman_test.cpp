// Codes are optimal, complete, canonical and limited to 15 bits; what isn't complete is refused.
#include "codec/coders/huffman.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <queue>

#include "codec/tensor/codebook.h"
#include "core/error.h"
#include "core/random.h"

namespace coppice::codec {
namespace {

// Total bits of an unlimited Huffman code, by its definition.
uint64_t optimal_bits(const std::vector<uint64_t>& counts) {
  std::priority_queue<uint64_t, std::vector<uint64_t>, std::greater<>> queue;
  for (const uint64_t count : counts) {
    if (count > 0) queue.push(count);
  }
  uint64_t bits = 0;
  while (queue.size() > 1) {
    const uint64_t a = queue.top();
    queue.pop();
    const uint64_t b = queue.top();
    queue.pop();
    bits += a + b;
    queue.push(a + b);
  }
  return bits;
}

std::vector<uint64_t> random_counts(Random& random) {
  std::vector<uint64_t> counts(1 + random.below(300));
  for (uint64_t& count : counts)
    count = random.below(3) == 0 ? 0 : random.next() >> (40 + random.below(24));
  counts[0] = 1;
  return counts;
}

double kraft_sum(const CodeLengths& lengths) {
  double sum = 0;
  for (const uint8_t length : lengths) sum += length > 0 ? std::exp2(-length) : 0;
  return sum;
}

TEST(Huffman, codes_are_optimal_and_within_a_bit_of_the_entropy_and_no_longer_than_fixed_codes) {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const auto counts = random_counts(random);
    const CodeLengths lengths = code_lengths(counts);
    const uint64_t total = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
    const auto bits = coded_bits(counts, lengths);
    EXPECT_LE(bits, total * static_cast<uint64_t>(std::ceil(std::log2(counts.size()))));
    EXPECT_LE(static_cast<double>(bits), entropy_bits(counts) + static_cast<double>(total));
    EXPECT_GE(bits, optimal_bits(counts));
    if (optimal_bits(counts) < bits) {  // then only the limit may be to blame
      EXPECT_EQ(*std::max_element(lengths.begin(), lengths.end()), kMaxCodeLength);
    }
  }
}

TEST(Huffman, lengths_stop_at_15_bits_where_counts_grow_like_fibonacci_numbers) {
  std::vector<uint64_t> counts = {1, 1};
  while (counts.size() < 40)
    counts.push_back(counts[counts.size() - 1] + counts[counts.size() - 2]);
  const CodeLengths lengths = code_lengths(counts);
  EXPECT_EQ(*std::max_element(lengths.begin(), lengths.end()), kMaxCodeLength);
  EXPECT_EQ(kraft_sum(lengths), 1.0);
  EXPECT_TRUE(std::is_sorted(lengths.rbegin(), lengths.rend()));
}

TEST(Huffman, symbols_come_back_through_table_and_code) {
  Random random(2);
  for (int round = 0; round < 100; ++round) {
    const auto counts =
        round == 0 ? std::vector<uint64_t>(kMaxHuffmanSymbols, 1) : random_counts(random);
    const CodeLengths lengths = code_lengths(counts);
    std::vector<uint32_t> occurring, symbols;
    for (uint32_t s = 0; s < counts.size(); ++s) {
      if (counts[s] > 0) occurring.push_back(s);
    }
    for (int i = 0; i < 500; ++i) symbols.push_back(occurring[random.below(occurring.size())]);
    Bytes table;
    append_lengths(table, lengths);
    BitWriter writer;
    const HuffmanEncoder encoder(lengths);
    for (const uint32_t symbol : symbols) encoder.put(writer, symbol);
    const Bytes stream = writer.finish();
    ByteReader reader(table);
    const CodeLengths read = take_lengths(reader, counts.size());
    ASSERT_EQ(read, lengths);
    const HuffmanDecoder decoder(read);
    BitReader bits(stream);
    for (const uint32_t symbol : symbols) {
      bits.refill();
      ASSERT_EQ(decoder.get(bits), symbol);
    }
    EXPECT_FALSE(bits.overrun());
  }
}

TEST(Huffman, codes_are_canonical) {
  const HuffmanEncoder encoder(CodeLengths{2, 1, 3, 3});
  BitWriter writer;  // 1: 0, 0: 10, 2: 110, 3: 111, first bit lowest
  for (const uint32_t symbol : {1, 0, 2, 3}) encoder.put(writer, symbol);
  EXPECT_EQ(writer.finish(), (Bytes{std::byte{0b11011010}, std::byte{0b1}}));
}

TEST(Huffman, a_single_symbol_takes_no_bits) {
  const std::vector<uint64_t> counts = {0, 0, 9, 0};
  const CodeLengths lengths = code_lengths(counts);
  EXPECT_EQ(coded_bits(counts, lengths), 0u);
  BitWriter writer;
  HuffmanEncoder(lengths).put(writer, 2);
  EXPECT_TRUE(writer.finish().empty());
  BitReader nothing{{}};
  nothing.refill();
  EXPECT_EQ(HuffmanDecoder(lengths).get(nothing), 2u);
  EXPECT_FALSE(nothing.overrun());
}

TEST(Huffman, lengths_that_make_no_complete_code_are_refused) {
  EXPECT_THROW(HuffmanDecoder(CodeLengths{}), Error);
  EXPECT_THROW(HuffmanDecoder(CodeLengths{0, 0}), Error);
  EXPECT_THROW(HuffmanDecoder(CodeLengths{1, 2}), Error);
  EXPECT_THROW(HuffmanDecoder(CodeLengths{1, 1, 1}), Error);
  EXPECT_NO_THROW(HuffmanDecoder(CodeLengths{1, 2, 2}));
}

}  // namespace
}  // namespace coppice::codec
