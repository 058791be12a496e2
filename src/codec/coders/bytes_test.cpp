// Varints come back and have one form; a reader gives out only what is there.
#include "codec/coders/bytes.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/random.h"

namespace coppice::codec {
namespace {

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

TEST(Bytes, varints_come_back) {
  Random random(1);
  for (int bits = 0; bits <= 64; ++bits) {
    for (int round = 0; round < 20; ++round) {
      const uint64_t number = bits == 0 ? 0 : random.next() >> (64 - bits);
      Bytes bytes;
      append_varint(bytes, number);
      EXPECT_LE(bytes.size(), bits / 7 + 1u);
      ByteReader reader(bytes);
      EXPECT_EQ(reader.varint(), number);
      EXPECT_EQ(reader.left(), 0u);
    }
  }
}

TEST(Bytes, a_varint_has_one_form_and_64_bits) {
  EXPECT_THROW(ByteReader(bytes_of({0x80, 0x00})).varint(), Error);
  EXPECT_THROW(ByteReader(bytes_of({0x80})).varint(), Error);
  EXPECT_THROW(
      ByteReader(bytes_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2})).varint(),
      Error);
  EXPECT_THROW(ByteReader(bytes_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0}))
                   .varint(),
               Error);
  EXPECT_EQ(
      ByteReader(bytes_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})).varint(),
      ~uint64_t{0});
}

TEST(Bytes, errors_say_what_was_found_and_expected) {
  const Bytes bytes = bytes_of({5, 1});
  try {
    ByteReader(bytes).varint(4, "rows");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "rows is 5, expected at most 4");
    EXPECT_EQ(error.kind(), ErrorKind::input);
  }
  try {
    ByteReader(bytes).take(~uint64_t{0});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "ends early: 2 bytes are left, expected 18446744073709551615");
  }
}

TEST(Bytes, fixed_numbers_are_little_endian) {
  Bytes bytes;
  append_fixed(bytes, 0x1234567890, 4);
  EXPECT_EQ(bytes, bytes_of({0x90, 0x78, 0x56, 0x34}));
  EXPECT_EQ(ByteReader(bytes).fixed(4), 0x34567890u);
}

}  // namespace
}  // namespace coppice::codec
