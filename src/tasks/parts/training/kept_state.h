// What a training leaves in its run folder: `checkpoint` while it goes on, and once its result is
// in place `finished`, the same, from which more epochs can go on.
#pragma once

#include <filesystem>
#include <optional>

#include "session/session.h"
#include "tasks/parts/training.h"
#include "tasks/parts/watcher.h"

namespace coppice {

// What `choice` goes on from: an unfinished run, or a finished one of fewer epochs, whose last
// stage is open again; nothing where it begins. Throws Error::usage where a run there is to be
// neither resumed nor lost, or is finished already; Error::input where `checkpoint` is somebody
// else's.
std::optional<SessionState> kept_state(const TrainingChoice& choice, const Recipe& recipe,
                                       const std::filesystem::path& folder, Watcher& watcher);

// The result of the run that `checkpoint` is of is in its place.
void finish_run(const std::filesystem::path& checkpoint);

}  // namespace coppice
