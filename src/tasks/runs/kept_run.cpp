// See kept_run.h.
#include "tasks/runs/kept_run.h"

#include "core/error.h"
#include "core/files.h"

namespace coppice {
namespace {

namespace fs = std::filesystem;

Json json_of(const Request& request) {
  Json list = Json::array();
  for (const auto& [option, value] : request) list.push_back(Json::array({option, value}));
  return list;
}

Json read_json(const fs::path& path) {
  Json json = Json::parse(read_text(path), nullptr, false);
  if (json.is_discarded()) {
    fail_input("'" + path.string() +
               "' is no JSON; delete the folder of this run to start it anew");
  }
  return json;
}

void write_json(const fs::path& path, const Json& json) {
  AtomicFile file(path);
  file.write(dumped(json, 2) + "\n");
  file.commit();
}

// Of the first entry that only one of the two has.
std::string first_difference(const Json& a, const Json& b) {
  for (const auto& [from, other] : {std::pair(a, b), std::pair(b, a)}) {
    for (const Json& entry : from) {
      if (std::find(other.begin(), other.end(), entry) == other.end()) return dumped(entry[0]);
    }
  }
  return "the order of options";
}

}  // namespace

void KeptRun::require_same_request() const {
  const fs::path path = folder_ / "request.json";
  if (!fs::exists(path)) return;
  const Json was = read_json(path), is = json_of(request_);
  if (was == is) return;
  fail_usage("'" + folder_.string() + "' holds a run of another request, which differs in " +
             first_difference(was, is) + "; name another folder by -o, or delete this one");
}

std::optional<Json> KeptRun::report() const {
  const fs::path path = folder_ / "report.json";
  if (!fs::exists(path)) return std::nullopt;
  return read_json(path);
}

bool KeptRun::has_checkpoint() const { return fs::exists(run_folder() / "checkpoint"); }

void KeptRun::begin() const {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) fail_input("can't make the folder '" + folder_.string() + "': " + error.message());
  write_json(folder_ / "request.json", json_of(request_));
}

void KeptRun::forget() const {
  std::error_code gone;
  fs::remove(folder_ / "report.json", gone);
}

void KeptRun::finish(const Json& report) const {
  write_json(folder_ / "report.json", report);
  std::error_code gone;  // nobody trains one of many runs on
  fs::remove(run_folder() / "finished", gone);
}

}  // namespace coppice
