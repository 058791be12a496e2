// The file of --config: TOML. Keys are the options' names without their dashes; those at the top
// are for whatever command reads the file, those in a table for the command of that name.
//
//   seed = 1
//   [prune]
//   keep-macs = 0.5
//   keep = ["stem", "head"]
//   latency = false
#pragma once

#include <memory>
#include <string>

namespace CLI {
class App;
class Config;
}  // namespace CLI

namespace coppice {

// Sets options of `app`, which is `command`, that weren't given yet. What is wrong is an
// Error::usage with the line.
std::shared_ptr<CLI::Config> config_file(CLI::App& app, const std::string& command);

}  // namespace coppice
