#include "prune/latency/latency_table.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

TEST(LatencyTable, times_rise_with_work) {
  const std::vector<LayerPoint> points = rising({{30, 2}, {10, 3}, {20, 1}});
  EXPECT_EQ(points, (std::vector<LayerPoint>{{10, 3}, {20, 3}, {30, 3}}));
}

TEST(LatencyTable, between_two_points_lies_a_straight_line) {
  const std::vector<LayerPoint> points = {{10, 1}, {20, 3}, {40, 5}};
  EXPECT_DOUBLE_EQ(time_at(points, 10), 1);
  EXPECT_DOUBLE_EQ(time_at(points, 15), 2);
  EXPECT_DOUBLE_EQ(time_at(points, 30), 4);
  EXPECT_DOUBLE_EQ(time_at(points, 50), 6);
  EXPECT_DOUBLE_EQ(time_at(points, 5), 0.75);  // half of the first's time takes no work
  EXPECT_DOUBLE_EQ(time_at({{10, 1}}, 20), 2);
}

TEST(LatencyTable, is_the_same_after_writing_and_reading) {
  const TempDir folder;
  const std::string path = (folder / "table.json").string();
  const LatencyTable table{.cpu = "a processor",
                           .threads = 2,
                           .net = "abc",
                           .layers = {{"conv", {{10, 0.5}, {20, 0.75}}}, {"fc", {{3, 0.25}}}}};
  write_text(path, to_json(table));
  EXPECT_EQ(read_latency_table(path), table);
}

TEST(LatencyTable, what_is_no_table_is_refused_by_name) {
  const TempDir folder;
  const std::string path = (folder / "table.json").string();
  for (
      const char* text :
      {"", "{}", "[1]", R"({"latency": 2})",
       R"({"latency": 1, "cpu": "a", "threads": 1, "net": "b", "layers": [{"name": "c", "points": []}]})",
       R"({"latency": 1, "cpu": "a", "threads": 1, "net": "b",
            "layers": [{"name": "c", "points": [{"work": 1, "ms": -1}]}]})"}) {
    write_text(path, text);
    try {
      read_latency_table(path);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_NE(std::string(error.what()).find("table.json"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace coppice
