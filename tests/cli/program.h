// Runs the built command as a user does, and looks at what it prints, returns and leaves behind.
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace coppice {

struct Ran {
  int code = -1;  // exit code; 128 + the signal that ended it
  std::string out, err;

  nlohmann::json json() const;  // `out`, which must be one JSON object
};

using Arguments = std::vector<std::string>;

Ran coppice(const Arguments& arguments);
// The same under `limits`, shell commands such as "ulimit -f 8".
Ran coppice_under(const std::string& limits, const Arguments& arguments);

// Starts the command, waits until `sign` exists, sends the signal, and waits for the end.
Ran interrupt_coppice(const Arguments& arguments, const std::filesystem::path& sign,
                      int signal = SIGINT);

// "coppice: ..." on one line of standard error, which holds `part`, and nothing on standard output.
testing::AssertionResult fails(const Ran& ran, int code, const std::string& part);

// The names of all that lies in a folder: temporary files too.
std::set<std::string> names_in(const std::filesystem::path& folder);

}  // namespace coppice
