// What is printed for people fits the terminal, whose width COLUMNS says here.
#include <gmock/gmock.h>

#include <sstream>

#include "cli/program.h"
#include "report/layout.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using testing::HasSubstr;

Ran coppice_in(size_t columns, const Arguments& arguments) {
  return coppice_under("export COLUMNS=" + std::to_string(columns), arguments);
}

// But for those that begin so: sentences break where the terminal does.
void expect_fits(const std::string& text, size_t columns, const std::string& but = "\n") {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(but)) continue;
    EXPECT_LE(columns_of(line), columns) << line;
  }
}

TEST(Screen, lists_fit_from_60_columns_up_and_are_of_80_without_a_terminal) {
  for (const char* list : {"methods", "zoo", "criteria", "data"}) {
    for (const size_t columns : {60, 80, 120}) {
      const Ran ran = coppice_in(columns, {list});
      EXPECT_EQ(ran.code, 0);
      expect_fits(ran.out, columns);
    }
    expect_fits(coppice({list}).out, 80);
  }
}

TEST(Screen, inspect_begins_with_its_summary_and_its_tables_fit) {
  for (const size_t columns : {60, 80, 120}) {
    const Ran ran = coppice_in(columns, {"inspect", "zoo:mobilenetv2"});
    EXPECT_THAT(ran.out, testing::StartsWith("zoo:mobilenetv2: "));
    expect_fits(ran.out.substr(ran.out.find("Layers")), columns, "others: ");
  }
}

TEST(Screen, inspect_has_normalisations_in_the_row_of_their_layer_with_what_it_can_lose) {
  const std::string text = coppice({"inspect", "zoo:resnet20"}).out;
  EXPECT_THAT(
      text, testing::ContainsRegex("layer1.0.conv1 +Conv\\+BN +1x16x32x32 +2.34 k +2.36 M +16\n"));
  EXPECT_THAT(text, testing::ContainsRegex("layer1.0.conv2 +Conv\\+BN .* 16 with [0-9]+\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("layer1.0.bn1 ")));
}

TEST(Screen, the_tables_of_a_pruning_fit) {
  const TempDir dir;
  const Ran ran = coppice_in(60, {"prune", "zoo:mobilenetv2", "-o", dir / "small.onnx", "--latency",
                                  "off", "--verify", "off"});
  EXPECT_EQ(ran.code, 0);
  expect_fits(ran.out.substr(0, ran.out.find("recovered:")), 60);
}

}  // namespace
}  // namespace coppice
