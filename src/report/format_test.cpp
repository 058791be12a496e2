#include "report/format.h"

#include <gtest/gtest.h>

namespace coppice {
namespace {

TEST(Format, groups_digits_by_threes) {
  EXPECT_EQ(with_separators(0), "0");
  EXPECT_EQ(with_separators(999), "999");
  EXPECT_EQ(with_separators(1000), "1,000");
  EXPECT_EQ(with_separators(-1234567), "-1,234,567");
}

TEST(Format, shortens_counts_to_three_digits) {
  EXPECT_EQ(short_count(0), "0");
  EXPECT_EQ(short_count(999), "999");
  EXPECT_EQ(short_count(999.7), "1.00 k");
  EXPECT_EQ(short_count(41.0e6), "41.0 M");
  EXPECT_EQ(short_count(4.1e9), "4.10 G");
  EXPECT_EQ(short_bytes(102.46e6), "102 MB");
  EXPECT_EQ(short_bytes(512), "512 B");
}

TEST(Format, writes_shares_factors_and_times) {
  EXPECT_EQ(percentage(0.91731), "91.73 %");
  EXPECT_EQ(times(1.966), "1.97x");
  EXPECT_EQ(milliseconds(3.419), "3.42 ms");
  EXPECT_EQ(milliseconds(0.0312), "0.0312 ms");
  EXPECT_EQ(duration(0.42), "0.42 s");
  EXPECT_EQ(duration(200), "3 min 20 s");
  EXPECT_EQ(duration(7500), "2 h 5 min");
  EXPECT_EQ(significant(3.14e-7, 2), "3.1e-07");
}

TEST(Format, names_with_control_characters_stay_on_their_line) {
  EXPECT_EQ(printable("a\nb\x1b[2J"), "a?b?[2J");
  EXPECT_EQ(printable("gr\xc3\xb6\xc3\x9f"), "gr\xc3\xb6\xc3\x9f");
}

TEST(Format, quotes_what_a_shell_would_split_or_expand) {
  EXPECT_EQ(shell_quoted("runs/a-1.onnx"), "runs/a-1.onnx");
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("layer[12].*"), "'layer[12].*'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
}

}  // namespace
}  // namespace coppice
