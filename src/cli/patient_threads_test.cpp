#include "cli/patient_threads.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "cli/commands/commands.h"

namespace coppice {
namespace {

TEST(OthersRunning, counts_threads_that_want_a_core_without_the_one_that_asks) {
  EXPECT_EQ(others_running("0.31 0.20 0.11 3/214 4711"), 2);
  EXPECT_EQ(others_running("0.00 0.00 0.00 1/90 12"), 0);
}

TEST(OthersRunning, is_none_where_the_line_is_another) {
  for (const char* line : {"", "0.31", "0.31 0.20 0.11", "0.31 0.20 0.11 many/214", "1 2 3 4"}) {
    EXPECT_EQ(others_running(line), 0) << line;
  }
}

TEST(PatientThreads, are_what_every_command_has_that_runs_nets) {
  const std::set<std::string> running{"prune",   "train",  "apply",       "compress",
                                      "compare", "search", "sensitivity", "simplify",
                                      "eval",    "verify", "bench",       "run"};
  for (const Command& command : commands()) {
    EXPECT_EQ(command.runs_nets, running.contains(command.name)) << command.name;
  }
}

}  // namespace
}  // namespace coppice
