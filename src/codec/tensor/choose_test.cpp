// Tensors of any kind come back from their section by every coder, and the smallest is small.
#include "codec/tensor/choose.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/random.h"

namespace coppice::codec {
namespace {

using Coder = CodecOptions::Coder;

constexpr Coder kCoders[] = {Coder::smallest, Coder::huffman, Coder::context};

// The section of `tensor`, having come back from it.
TensorSection section_of(const Tensor& tensor, const CodecOptions& options) {
  TensorSection section = encode_tensor(tensor, options);
  EXPECT_LE(static_cast<uint64_t>(tensor.size()), kMaxExpansion * section.bytes.size());
  EXPECT_EQ(parse_head(section.bytes).bytes(), tensor.bytes().size());
  Bytes back(tensor.bytes().size(), std::byte{0x55});
  decode_tensor(section.bytes, back);
  EXPECT_TRUE(std::ranges::equal(back, tensor.bytes())) << section.report.storage;
  return section;
}

float value_of_kind(int kind, Random& random) {
  switch (kind) {
    case 0: return static_cast<float>(random.normal());
    case 1: return static_cast<float>(1 + random.below(5)) * 0.25f;
    case 2: return -0.0f;
    case 3: return std::bit_cast<float>(static_cast<uint32_t>(random.next()));  // NaNs among them
    case 4: return static_cast<float>(random.below(200)) - 100.5f;
    default: return 0.5f;
  }
}

TEST(Choose, random_tensors_come_back_by_every_coder) {
  Random random(1);
  const std::vector<Shape> shapes = {
      {},        {1},          {31},          {2, 3},       {64, 100}, {1, 5000},
      {5000, 1}, {8, 4, 3, 3}, {16, 3, 1, 7}, {3, 2, 5, 1}, {40, 70},  {2, 2, 2, 2, 2}};
  std::set<std::string> storages;
  for (const Shape& shape : shapes) {
    for (int kind = 0; kind < 6; ++kind) {
      for (const double density : {0.0, 0.02, 0.1, 0.5, 0.99, 1.0}) {
        Tensor tensor = Tensor::zeros(DType::f32, shape);
        for (float& element : tensor.mutate<float>()) {
          if (random.uniform() < density) element = value_of_kind(kind, random);
        }
        for (const Coder coder : kCoders) {
          const int bits = static_cast<int>(random.below(13));
          storages.insert(section_of(tensor, {.coder = coder, .index_bits = bits}).report.storage);
        }
      }
    }
  }
  EXPECT_GE(storages.size(), 12u);
}

TEST(Choose, every_element_type_comes_back) {
  Random random(2);
  for (const DType dtype :
       {DType::u8, DType::i8, DType::boolean, DType::f16, DType::bf16, DType::u16, DType::i32,
        DType::f64, DType::i64, DType::c64, DType::c128}) {
    for (const double density : {0.0, 0.1, 1.0}) {
      Tensor tensor = Tensor::zeros(dtype, {20, 30});
      for (std::byte& byte : tensor.mutate_bytes()) {
        if (random.uniform() < density) byte = static_cast<std::byte>(random.next() & 7);
      }
      for (const Coder coder : kCoders) section_of(tensor, {.coder = coder});
    }
  }
}

// Entries at the given positions of `elements` weights.
Tensor with_nonzeros(int64_t elements, const std::vector<int64_t>& positions) {
  Tensor tensor = Tensor::zeros(DType::f32, {elements});
  for (const int64_t position : positions) {
    tensor.mutate<float>()[static_cast<size_t>(position)] = position % 2 ? 0.5f : -0.0f;
  }
  return tensor;
}

TEST(Choose, gaps_around_powers_and_zeros_at_the_end_come_back_in_the_papers_storage) {
  for (int bits = 1; bits <= 12; ++bits) {
    const int64_t most = int64_t{1} << bits;
    for (const int64_t gap : {most, most + 1, 2 * most + 1, 3 * most}) {
      const Tensor tensor = with_nonzeros(40000, {gap - 1, 2 * gap - 1, 3 * gap - 1, 3 * gap + 1});
      const auto section = section_of(tensor, {.coder = Coder::huffman, .index_bits = bits});
      EXPECT_EQ(section.report.storage, "relative indices, codes by Huffman");
      EXPECT_EQ(section.report.index_bits, bits);
      EXPECT_EQ(section.report.fillers, 3 * ((gap - 1) / most) + 1 / most);
    }
  }
}

TEST(Choose, a_tensor_of_one_value_keeps_to_the_expansion_rule) {
  const TensorSection section = section_of(Tensor::zeros(DType::f32, {1000, 1000}), {});
  EXPECT_EQ(section.report.storage, "one value");
  EXPECT_EQ(section.bytes.size(), 62u);  // 10^6 / 16384, rounded up
}

TEST(Choose, floats_that_are_halves_take_two_bytes_at_most) {
  Random random(3);
  Tensor tensor = Tensor::zeros(DType::f32, {40});
  for (float& element : tensor.mutate<float>()) {
    element = std::round(static_cast<float>(random.normal()) * 256) / 256;
  }
  EXPECT_LE(section_of(tensor, {}).bytes.size(), 82u);
}

TEST(Choose, independent_weights_take_their_bound_within_one_percent_and_less_than_huffman) {
  for (const double density : {0.04, 0.1, 0.5}) {
    Random random(4);
    Tensor tensor = Tensor::zeros(DType::f32, {1000, 1500});
    for (float& weight : tensor.mutate<float>()) {
      if (random.uniform() >= density) continue;
      const auto step = static_cast<int>(-6 * std::log(1 - random.uniform()));
      weight = (random.below(2) ? 0.01f : -0.013f) * static_cast<float>(1 + std::min(step, 15));
    }
    const auto bytes = [&](Coder coder) {
      return static_cast<double>(section_of(tensor, {.coder = coder}).bytes.size());
    };
    const double bound = section_of(tensor, {}).report.bound_bits / 8;
    EXPECT_LT(bytes(Coder::smallest), 1.01 * bound) << density;
    EXPECT_LE(bytes(Coder::smallest), bytes(Coder::huffman)) << density;
    EXPECT_LE(bytes(Coder::smallest), bytes(Coder::context)) << density;
  }
}

TEST(Choose, sections_that_ask_for_too_much_are_refused) {
  Bytes bytes;
  append_head(bytes, {.width_bytes = 4, .values = ValueCoding::constant}, 16384 * 20);
  bytes.resize(bytes.size() + 4);
  EXPECT_THROW(parse_head(bytes), Error);
  bytes.resize(20);
  EXPECT_NO_THROW(parse_head(bytes));
  for (const Storage& bad : {Storage{8, Positions::bitmask, ValueCoding::raw},
                             Storage{8, Positions::all, ValueCoding::packed},
                             Storage{2, Positions::all, ValueCoding::half},
                             Storage{16, Positions::all, ValueCoding::planes},
                             Storage{4, Positions::relative, ValueCoding::contexts}}) {
    Bytes section;
    append_head(section, bad, 1);
    EXPECT_THROW(parse_head(section), Error) << name_of(bad);
  }
  Bytes none;
  append_head(none, {}, 0);
  EXPECT_THROW(parse_head(none), Error);
}

TEST(Choose, random_bytes_give_errors_and_nothing_else) {
  Random random(5);
  int errors = 0;
  for (int round = 0; round < 20000; ++round) {
    Bytes section(1 + random.below(60));
    for (std::byte& byte : section)
      byte = static_cast<std::byte>(random.next() >> random.below(60));
    try {
      const TensorHead head = parse_head(section);
      if (head.bytes() > 1 << 20) continue;
      Bytes out(head.bytes());
      decode_tensor(section, out);
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::input) << error.what();
      ++errors;
    }
  }
  EXPECT_GT(errors, 1000);
}

}  // namespace
}  // namespace coppice::codec
