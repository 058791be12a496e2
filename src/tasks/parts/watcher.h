// Who watches a task: hears what it has to say before its report comes, and may stop it.
#pragma once

#include <cstdint>
#include <string>

#include "report/json.h"

namespace coppice {

// How far a loop has come. The first that comes of one says what was done before; it is over where
// all is done.
struct Progress {
  std::string doing, unit;
  int64_t done = 0, total = 0;
  std::string note = {};  // what else is worth knowing by now
};

// Every function may be left as it is.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void remark(const std::string&) {}  // what is good to know
  virtual void warn(const std::string&) {}    // what isn't as one may think
  virtual void progress(const Progress&) {}
  virtual void metric(const Json&) {}  // an object, for a record of the run
  virtual bool stop_requested() { return false; }
};

// Throws Error::interrupted where a stop is requested: between two steps of what takes long, and
// before a result comes to its place.
void stop_if_requested(Watcher& watcher);

}  // namespace coppice
