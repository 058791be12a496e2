// The folder that --run-dir names: what was run, on what, and what came out, kept as JSON.
//
//   run.json       {"status": "running" | "done" | "failed" | "interrupted", "command": [...],
//                   "version", "seed", "threads", "machine": {"cores", "cpu"}, "started",
//                   "ended"?, "error"?, "result"?}          times in UTC, ISO 8601
//   metrics.jsonl  one JSON object a line, as they come
//
// A lock (flock on the folder itself, so no file is left behind) keeps two runs out of one folder;
// a run that ended frees it, and the next one starts both files afresh.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace coppice {

struct RunDescription {
  std::vector<std::string> command;
  std::string version;
  uint64_t seed = 0;
  int threads = 1;
  // Nobody named the folder: of a run that fails before it has anything to tell, nothing stays.
  bool by_default = false;
};

class RunFolder {
 public:
  enum class Status { running, done, failed, interrupted };

  // Creates the folder where it is missing. The record of an earlier run stays until this one has
  // something to tell: a metric, or an end that isn't a failure. Throws Error::input if that fails,
  // if another run holds it, or if it has files of these names that no run wrote.
  RunFolder(const std::filesystem::path& folder, const RunDescription& description);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  // Appends one line. Requires: `json` is a JSON object. Throws Error::input if it can't be
  // written.
  void add_metric(std::string_view json);
  // `result`: a JSON object, or empty; `error`: one line, or empty.
  void finish(Status status, std::string_view result, const std::string& error);

 private:
  void begin();  // the record, if it isn't begun

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice
