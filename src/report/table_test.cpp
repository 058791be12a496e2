#include "report/table.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace coppice {
namespace {

Table two_columns() { return Table({{"layer"}, {"units", Table::Align::right}}); }

TEST(Table, aligns_words_left_and_numbers_right) {
  Table table = two_columns();
  table.add({"conv1", "8"});
  table.add({"a.longer.name", "1,024"});
  EXPECT_EQ(table.text(),
            "layer          units\n"
            "conv1              8\n"
            "a.longer.name  1,024\n");
}

TEST(Table, has_only_titles_when_empty) { EXPECT_EQ(two_columns().text(), "layer  units\n"); }

TEST(Table, cuts_long_tables_short_and_says_so) {
  Table table = two_columns();
  for (int i = 0; i < 5; ++i) table.add({"l" + std::to_string(i), "1"});
  EXPECT_EQ(table.text(2),
            "layer  units\n"
            "l0         1\n"
            "l1         1\n"
            "... and 3 more\n");
}

TEST(Table, counts_letters_and_not_bytes) {
  Table table = two_columns();
  table.add({"sch\xc3\xb6n", "1"});
  EXPECT_EQ(table.text(), "layer  units\nsch\xc3\xb6n      1\n");
}

TEST(Table, shows_in_colour_only_what_was_judged_and_only_where_asked) {
  Table table = two_columns(), plain = two_columns();
  table.add({"a", "2.00x"});
  table.judge(1, Verdict::better);
  table.add({"b", "0.50x"});
  table.judge(1, Verdict::worse);
  table.add({"c", "1.00x"});
  table.judge(1, Verdict::none);
  for (const char* row : {"a 2.00x", "b 0.50x", "c 1.00x"}) plain.add({{row[0]}, row + 2});
  EXPECT_EQ(table.text(), plain.text());
  EXPECT_EQ(table.text(9, 0, true),
            "layer  units\n"
            "a      \x1b[32m2.00x\x1b[0m\n"
            "b      \x1b[31m0.50x\x1b[0m\n"
            "c      1.00x\n");
}

TEST(Table, refuses_a_row_with_other_cells_than_columns) {
  Table table = two_columns();
  EXPECT_THROW(table.add({"alone"}), Error);
}

}  // namespace
}  // namespace coppice
