// See watcher.h.
#include "tasks/parts/watcher.h"

#include "core/error.h"

namespace coppice {

void stop_if_requested(Watcher& watcher) {
  if (watcher.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
}

}  // namespace coppice
