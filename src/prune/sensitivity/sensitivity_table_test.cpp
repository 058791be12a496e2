// A table of sensitivity comes back from its JSON, and what is none is refused with a reason.
#include "prune/sensitivity/sensitivity_table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace coppice {
namespace {

SensitivityTable curves() {
  return {.kind = SensitivityTable::Kind::curves,
          .model_file = "net.onnx",
          .model_sha256 = "ab12",
          .request = {{"--data", "digits"}, {"--seed", "0"}},
          .judged_by = "held-out training images",
          .images = 100,
          .value = 0.98,
          .loss = 0.0625,
          .groups = {{.name = "conv\"1\"",
                      .units = 20,
                      .done = true,
                      .points = {{0.1, 2, 0.97, 0.1}, {0.5, 10, 0.1, 2.25}}},
                     {.name = "conv2", .units = 1}}};
}

TEST(SensitivityTable, comes_back_from_its_json) {
  SensitivityTable table = curves();
  EXPECT_EQ(sensitivity_from_json(to_json(table)), table);
  EXPECT_FALSE(table.done());
  table.kind = SensitivityTable::Kind::ablations;
  table.by = SensitivityTable::By::output_error;
  for (GroupSensitivity& group : table.groups) group.points.clear();
  table.groups[0].losses = {0.1, -0.25};
  EXPECT_EQ(sensitivity_from_json(to_json(table)), table);
}

TEST(SensitivityTable, numbers_that_are_not_finite_come_back_as_none) {
  SensitivityTable table = curves();
  table.groups[0].points[1].loss = INFINITY;
  const SensitivityTable read = sensitivity_from_json(to_json(table));
  EXPECT_TRUE(std::isnan(read.groups[0].points[1].loss));
}

std::string refusal(const std::string& text) {
  try {
    sensitivity_from_json(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    return error.what();
  }
  return "not refused";
}

std::string with(const std::string& part, const std::string& other) {
  std::string text = to_json(curves());
  const size_t at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return text.replace(at, part.size(), other);
}

TEST(SensitivityTable, what_is_none_is_refused_with_the_reason) {
  struct Case {
    std::string text, reason;
  };
  for (const auto& [text, reason] :
       {Case{"", "it is no JSON"}, Case{"{\"a\": 1", "it is no JSON"}, Case{"[]", "not a table"},
        Case{"{}", "'sensitivity'"},
        Case{with("\"sensitivity\": 1", "\"sensitivity\": 2"), "later"},
        Case{with("\"curves\"", "\"bends\""), "'kind' is 'bends'"},
        Case{with("\"leaving\": 10", "\"leaving\": 2"), "'leaving'"},
        Case{with("\"leaving\": 10", "\"leaving\": 20"), "'leaving'"},
        Case{with("\"leaving\": 10", "\"leaving\": 18446744073709551615"), "'leaving'"},
        Case{with("\"units\": 20", "\"units\": 1e300"), "'units'"},
        Case{with("\"units\": 1,", "\"units\": 0,"), "'units'"},
        Case{with("\"value\": 0.97", "\"value\": \"a\""), "'value' is no number"},
        Case{with("\"done\": true", "\"done\": 3"), "boolean"},
        Case{with("\"groups\"", "\"grps\""), "'groups'"}}) {
    SCOPED_TRACE(text);
    const std::string message = refusal(text);
    EXPECT_NE(message.find("not a table of sensitivity that coppice wrote"), std::string::npos)
        << message;
    EXPECT_NE(message.find(reason), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace coppice
