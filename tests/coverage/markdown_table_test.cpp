#include "coverage/markdown_table.h"

#include <gtest/gtest.h>

namespace coppice {
namespace {

constexpr char kText[] = "# A\n\n| a | b |\n| --- | --- |\n| x | 1 |\n| y |  |\n\nEnd.\n";

TEST(MarkdownTable, is_written_as_it_was_read) {
  EXPECT_EQ(MarkdownTable::read(kText).text(), kText);
}

TEST(MarkdownTable, gets_columns_and_rows_and_keeps_the_others) {
  MarkdownTable table = MarkdownTable::read(kText);
  table.arrange({"a", "c", "b"});
  table.put({"y", "2", "3"});
  table.put({"z", "4", "5"});
  EXPECT_EQ(table.text(),
            "# A\n\n| a | c | b |\n| --- | --- | --- |\n| x |  | 1 |\n| y | 2 | 3 |\n"
            "| z | 4 | 5 |\n\nEnd.\n");
}

}  // namespace
}  // namespace coppice
