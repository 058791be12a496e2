// See child_process.h.
#include "core/process/child_process.h"

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace coppice {
namespace {

[[noreturn]] void fail(const std::string& doing, int error) {
  fail_input(doing + ": " + std::strerror(error));
}

}  // namespace

struct ChildProcess::Process {
  std::string name;
  pid_t pid = -1;
  int socket = -1;
  std::string received = {};  // read, but behind the line that was asked for

  ~Process() {
    if (socket >= 0) ::close(socket);
    if (pid <= 0) return;
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
};

ChildProcess::ChildProcess(std::unique_ptr<Process> process) : process_(std::move(process)) {}
ChildProcess::~ChildProcess() = default;
ChildProcess::ChildProcess(ChildProcess&&) noexcept = default;
ChildProcess& ChildProcess::operator=(ChildProcess&&) noexcept = default;

std::optional<ChildProcess> ChildProcess::start(std::vector<std::string> arguments) {
  auto process = std::make_unique<Process>(Process{.name = arguments.front()});
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair", errno);
  process->socket = ends[0];
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> texts;
  for (std::string& argument : arguments) texts.push_back(argument.data());
  texts.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, texts[0], &actions, nullptr, texts.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (error == ENOENT) return std::nullopt;
  if (error != 0) fail("starting " + process->name, error);
  process->pid = pid;
  return ChildProcess(std::move(process));
}

void ChildProcess::send_line(const std::string& line) {
  const std::string whole = line + "\n";
  for (size_t sent = 0; sent < whole.size();) {
    const ssize_t put =
        ::send(process_->socket, whole.data() + sent, whole.size() - sent, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("talking to " + process_->name, errno);
    sent += static_cast<size_t>(put);
  }
}

std::optional<std::string> ChildProcess::receive_line() {
  std::string& received = process_->received;
  size_t end;
  while ((end = received.find('\n')) == std::string::npos) {
    char chunk[4096];
    const ssize_t got = ::recv(process_->socket, chunk, sizeof(chunk), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    received.append(chunk, static_cast<size_t>(got));
  }
  std::string line = received.substr(0, end);
  received.erase(0, end + 1);
  return line;
}

}  // namespace coppice
