// A program that is talked to line by line, over one socket pair that is its standard input and
// output: a pipe would kill us by SIGPIPE if the child died.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coppice {

class ChildProcess {
 public:
  // `arguments`: the program, looked up as a shell does, and what it is told. Nothing where there
  // is no such program. Throws Error::input where it can't be started.
  static std::optional<ChildProcess> start(std::vector<std::string> arguments);
  ~ChildProcess();  // the child sees the end of its input, and is waited for
  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) noexcept;

  // Throws Error::input where the child is gone.
  void send_line(const std::string& line);
  // The next line, without its end. Nothing once the child has closed its output.
  std::optional<std::string> receive_line();

 private:
  struct Process;
  explicit ChildProcess(std::unique_ptr<Process> process);
  std::unique_ptr<Process> process_;
};

}  // namespace coppice
