// See program.h. Output goes to files: pipes would have to be read while the command runs.
#include "cli/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <thread>

#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

class Process {
 public:
  explicit Process(const Arguments& arguments) {
    std::vector<char*> pointers;
    for (const std::string& argument : arguments) {
      pointers.push_back(const_cast<char*>(argument.c_str()));
    }
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    const auto redirect = [&](int descriptor, const std::filesystem::path& path, int flags) {
      ::posix_spawn_file_actions_addopen(&actions, descriptor, path.c_str(), flags, 0600);
    };
    redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
    redirect(STDOUT_FILENO, dir_ / "out", O_WRONLY | O_CREAT);
    redirect(STDERR_FILENO, dir_ / "err", O_WRONLY | O_CREAT);
    const int error =
        ::posix_spawnp(&id_, pointers[0], &actions, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error("can't start " + arguments[0]);
  }

  pid_t id() const { return id_; }

  Ran wait() {
    int status = 0;
    ::waitpid(id_, &status, 0);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, read_text(dir_ / "out"), read_text(dir_ / "err")};
  }

 private:
  TempDir dir_;
  pid_t id_ = -1;
};

Arguments with_program(const Arguments& arguments) {
  Arguments all = {COPPICE_PROGRAM};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

}  // namespace

nlohmann::json Ran::json() const { return nlohmann::json::parse(out); }

Ran coppice(const Arguments& arguments) { return Process(with_program(arguments)).wait(); }

Ran coppice_under(const std::string& limits, const Arguments& arguments) {
  Arguments all = {"sh", "-c", limits + "; exec \"$@\"", "sh"};
  for (const std::string& argument : with_program(arguments)) all.push_back(argument);
  return Process(all).wait();
}

Ran interrupt_coppice(const Arguments& arguments, const std::filesystem::path& sign, int signal) {
  Process process(with_program(arguments));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!std::filesystem::exists(sign) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ::kill(process.id(), signal);
  return process.wait();
}

namespace {

// Nothing; with --json an object that says what the line says.
bool says_the_same(const std::string& out, const std::string& line, int code) {
  if (out.empty()) return true;
  const auto json = nlohmann::json::parse(out, nullptr, false);
  if (json.is_discarded() || !json.contains("error")) return false;
  const auto& error = json["error"];
  return "coppice: " + error["message"].get<std::string>() + "\n" == line &&
         error["exit_code"] == code;
}

}  // namespace

testing::AssertionResult fails(const Ran& ran, int code, const std::string& part) {
  const bool one_line = ran.err.starts_with("coppice: ") && ran.err.ends_with("\n") &&
                        ran.err.find('\n') == ran.err.size() - 1;
  if (ran.code == code && one_line && says_the_same(ran.out, ran.err, code) &&
      ran.err.find(part) != std::string::npos) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << "exit code " << ran.code << ", expected " << code << "\nstandard error: " << ran.err
         << "expected one line with: " << part << "\nstandard output: " << ran.out.substr(0, 500);
}

std::set<std::string> names_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

}  // namespace coppice
