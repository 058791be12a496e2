// The talk with the judge goes over one socket pair that is the child's standard input and output:
// a pipe would kill the test by SIGPIPE if the child died.
#include "support/onnxruntime.h"

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using nlohmann::json;

constexpr DType kDTypes[] = {DType::f32, DType::f64, DType::i64,    DType::i32,
                             DType::i8,  DType::u8,  DType::boolean};

DType dtype_named(const std::string& name) {
  for (const DType dtype : kDTypes) {
    if (name_of(dtype) == name) return dtype;
  }
  throw std::runtime_error("ONNX Runtime gave an element type we don't know: " + name);
}

json write_inputs(const std::vector<NamedTensor>& inputs, const TempDir& dir) {
  json written = json::array();
  for (const auto& [name, tensor] : inputs) {
    const auto path = dir / ("input" + std::to_string(written.size()) + ".bin");
    AtomicFile file(path);
    file.write(tensor.bytes());
    file.commit();
    written.push_back({{"name", name},
                       {"dtype", name_of(tensor.dtype())},
                       {"shape", tensor.shape()},
                       {"file", path.string()}});
  }
  return written;
}

NamedTensor read_output(const json& output) {
  const Buffer buffer = read_file(output.at("file").get<std::string>());
  return {output.at("name"), Tensor::view(dtype_named(output.at("dtype")), output.at("shape"),
                                          buffer.data, buffer.bytes())};
}

}  // namespace

struct OnnxRuntime::Process {
  pid_t pid = -1;
  int socket = -1;
  std::string received;  // read, but behind the line that was asked for

  ~Process() {
    if (socket >= 0) ::close(socket);  // the child sees the end of its input and leaves
    if (pid > 0) ::waitpid(pid, nullptr, 0);
  }

  // False when there is no `node` to be found.
  bool spawn() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair", errno);
    socket = ends[0];
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::string program = "node", script = COPPICE_SOURCE_DIR "/tests/onnxruntime/judge.mjs";
    char* arguments[] = {program.data(), script.data(), nullptr};
    const int error = ::posix_spawnp(&pid, "node", &actions, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error == ENOENT) return false;
    if (error != 0) fail("starting node", error);
    return true;
  }

  json receive() {
    size_t end;
    while ((end = received.find('\n')) == std::string::npos) {
      char chunk[4096];
      const ssize_t got = ::recv(socket, chunk, sizeof(chunk), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) throw std::runtime_error("the ONNX Runtime process ended unexpectedly");
      received.append(chunk, static_cast<size_t>(got));
    }
    const std::string line = received.substr(0, end);
    received.erase(0, end + 1);
    json answer = json::parse(line);
    if (answer.contains("error")) {
      throw std::runtime_error("ONNX Runtime: " + answer.at("error").get<std::string>());
    }
    return answer;
  }

  json ask(const json& request) {
    const std::string line = request.dump() + "\n";
    for (size_t sent = 0; sent < line.size();) {
      const ssize_t put = ::send(socket, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) fail("asking ONNX Runtime", errno);
      sent += static_cast<size_t>(put);
    }
    return receive();
  }

  [[noreturn]] static void fail(const std::string& doing, int error) {
    throw std::runtime_error(doing + ": " + std::strerror(error));
  }
};

OnnxRuntime::OnnxRuntime(std::unique_ptr<Process> process) : process_(std::move(process)) {}
OnnxRuntime::~OnnxRuntime() = default;
OnnxRuntime::OnnxRuntime(OnnxRuntime&&) noexcept = default;
OnnxRuntime& OnnxRuntime::operator=(OnnxRuntime&&) noexcept = default;

std::optional<OnnxRuntime> OnnxRuntime::start() {
  auto process = std::make_unique<Process>();
  if (!process->spawn() || process->receive().contains("missing")) return std::nullopt;
  return OnnxRuntime(std::move(process));
}

std::vector<NamedTensor> OnnxRuntime::run(const std::filesystem::path& model,
                                          const std::vector<NamedTensor>& inputs) {
  const TempDir dir;
  const json answer = process_->ask({{"model", model.string()},
                                     {"inputs", write_inputs(inputs, dir)},
                                     {"outputs_dir", dir.path().string()}});
  std::vector<NamedTensor> outputs;
  for (const json& output : answer.at("outputs")) outputs.push_back(read_output(output));
  return outputs;
}

double OnnxRuntime::median_ms(const std::filesystem::path& model,
                              const std::vector<NamedTensor>& inputs, int runs, int threads) {
  const TempDir dir;
  return process_
      ->ask({{"benchmark",
              {{"model", model.string()},
               {"inputs", write_inputs(inputs, dir)},
               {"runs", runs},
               {"threads", threads}}}})
      .at("median_ms");
}

}  // namespace coppice
