// The command line: finds the command, reads its options, runs it, and turns whatever goes wrong
// into one line on standard error and an exit code:
//
//   0 done   1 our bug   2 wrong usage   3 bad input file   4 target can't be reached
//   130 interrupted
#pragma once

#include <string>
#include <vector>

namespace coppice {

// `arguments` without the program's name. Returns the exit code.
int run_program(const std::vector<std::string>& arguments);

}  // namespace coppice
