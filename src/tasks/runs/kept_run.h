// Runs beside each other as each lies in its folder: what it was asked, its checkpoint while it
// isn't done, and its report once it is.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "options/settings.h"
#include "report/json.h"

namespace coppice {

class KeptRun {
 public:
  KeptRun(std::filesystem::path folder, Request request)
      : folder_(std::move(folder)), request_(std::move(request)) {}

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string folder() const { return folder_.string(); }
  // Throws Error::usage, naming an option, where what lies there was asked something else.
  void require_same_request() const;
  std::optional<Json> report() const;  // of a run that is done
  bool has_checkpoint() const;
  std::filesystem::path run_folder() const { return folder_ / "run"; }
  void begin() const;  // makes the folder, and writes down what is asked
  void finish(const Json& report) const;
  void forget() const;  // that it is done

 private:
  std::filesystem::path folder_;
  Request request_;
};

}  // namespace coppice
