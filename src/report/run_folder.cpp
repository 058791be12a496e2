// See run_folder.h.
#include "report/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/machine/cpu_name.h"
#include "core/threads.h"

namespace coppice {
namespace {

using Json = nlohmann::ordered_json;

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string name_of(RunFolder::Status status) {
  switch (status) {
    case RunFolder::Status::running: return "running";
    case RunFolder::Status::done: return "done";
    case RunFolder::Status::failed: return "failed";
    case RunFolder::Status::interrupted: return "interrupted";
  }
  return "failed";
}

std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

int open_locked(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    fail_input("can't open the run folder '" + folder.string() + "': " + std::strerror(errno));
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  ::close(descriptor);
  fail_input("run folder '" + folder.string() +
             "': another run is using it; wait for that run, or name another folder");
}

// A record of ours is begun afresh; files of the same names that are something else are kept.
void require_ours(const std::filesystem::path& folder) {
  std::string foreign;
  if (std::filesystem::exists(folder / "run.json")) {
    const Json found = Json::parse(read_text(folder / "run.json"), nullptr, false);
    const bool ours = found.is_object() && found.contains("status") && found.contains("machine");
    if (!ours) foreign = "run.json";
  } else if (std::filesystem::exists(folder / "metrics.jsonl")) {
    foreign = "metrics.jsonl";
  }
  if (foreign.empty()) return;
  fail_input("run folder '" + folder.string() + "': its '" + foreign +
             "' is no record of coppice's and would be lost; name another folder");
}

}  // namespace

struct RunFolder::State {
  std::filesystem::path folder;
  int lock = -1;
  Json run;
  std::ofstream metrics;
  bool leaves_no_trace = false;  // unless there is something to tell

  ~State() {
    if (lock >= 0) ::close(lock);
  }
};

RunFolder::RunFolder(const std::filesystem::path& folder, const RunDescription& description)
    : state_(std::make_unique<State>()) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(folder, error);
  state_->leaves_no_trace = made && description.by_default;
  if (error) {
    fail_input("can't create the run folder '" + folder.string() + "': " + error.message());
  }
  state_->folder = folder;
  state_->lock = open_locked(folder);
  require_ours(folder);
  state_->run = {{"status", name_of(Status::running)},
                 {"command", description.command},
                 {"version", description.version},
                 {"seed", description.seed},
                 {"threads", description.threads},
                 {"machine", {{"cores", available_cores()}, {"cpu", cpu_name()}}},
                 {"started", now()}};
  if (!state_->leaves_no_trace && !std::filesystem::exists(folder / "run.json")) begin();
}

RunFolder::~RunFolder() = default;

void RunFolder::begin() {
  if (state_->metrics.is_open()) return;
  write_text(state_->folder / "run.json",
             dumped(state_->run));  // first: it says whose the other is
  state_->metrics.open(state_->folder / "metrics.jsonl", std::ios::trunc);
}

void RunFolder::add_metric(std::string_view json) {
  begin();
  state_->metrics << json << std::endl;
  if (!state_->metrics) {
    fail_input("can't write '" + (state_->folder / "metrics.jsonl").string() + "'");
  }
}

void RunFolder::finish(Status status, std::string_view result, const std::string& error) {
  if (status == Status::failed && !state_->metrics.is_open()) {
    std::error_code not_empty;  // with a checkpoint, say: then it stays
    if (state_->leaves_no_trace) std::filesystem::remove(state_->folder, not_empty);
    return;
  }
  begin();
  state_->run["status"] = name_of(status);
  state_->run["ended"] = now();
  if (!error.empty()) state_->run["error"] = error;
  if (!result.empty()) state_->run["result"] = Json::parse(result);
  write_text(state_->folder / "run.json", dumped(state_->run));
}

}  // namespace coppice
