// See kept_state.h.
#include "tasks/parts/training/kept_state.h"

#include <algorithm>

#include "core/error.h"
#include "session/state/checkpoint.h"

namespace coppice {
namespace {

namespace fs = std::filesystem;

constexpr char kFinished[] = "finished";

Request without_epochs(Request request) {
  std::erase_if(request, [](const auto& entry) { return entry.first == kEpochs.flag(); });
  return request;
}

// Throws where a run of other epochs would have trained otherwise from its beginning.
void require_more_epochs(const TrainingChoice& choice, const Recipe& recipe,
                         const SessionState& saved, const std::string& where) {
  require_same(without_epochs(choice.request), without_epochs(saved.request));
  const int64_t done = saved.stages.empty() ? 0 : saved.stages.back().epochs;
  const bool alone = done > 0 && done == std::ssize(saved.history);
  const std::string found = "--resume: the run in " + where + " is finished";
  if (!alone || recipe.kept.which == KeptEpoch::Which::best) {
    fail_usage(found +
               ", and not of a kind that more epochs could go on from; leave --resume out "
               "to start anew");
  }
  if (recipe.epochs > done) return;
  fail_usage(found + " after " + std::to_string(done) + (done == 1 ? " epoch" : " epochs") + "; " +
             kEpochs.flag() + " " + std::to_string(2 * done) +
             " would go on from there, without --resume it starts anew");
}

// Its last stage is to be trained on, by what is left of the schedule of all epochs.
SessionState opened_again(SessionState saved, const TrainingChoice& choice) {
  saved.cursor = {.epoch = saved.stages.back().epochs};
  saved.stages.pop_back();
  saved.request = choice.request;
  return saved;
}

}  // namespace

std::optional<SessionState> kept_state(const TrainingChoice& choice, const Recipe& recipe,
                                       const fs::path& folder, Watcher& watcher) {
  const fs::path checkpoint = folder / "checkpoint", finished = folder / kFinished;
  std::string where = "'";
  where.append(folder.string()).append("'");
  if (fs::exists(checkpoint)) {
    if (!is_checkpoint(checkpoint)) {
      fail_input("run folder " + where +
                 ": its 'checkpoint' is none of coppice's and would be lost; move it, or name "
                 "another folder by --run-dir");
    }
    if (!choice.resume) {
      fail_usage("run folder " + where +
                 " holds an unfinished run; add --resume to go on with it, or delete the folder");
    }
    SessionState saved = read_checkpoint(checkpoint);
    require_same(choice.request, saved.request);
    return saved;
  }
  if (!choice.resume) return std::nullopt;
  if (fs::exists(finished) && is_checkpoint(finished)) {
    SessionState saved = read_checkpoint(finished);
    require_more_epochs(choice, recipe, saved, where);
    return opened_again(std::move(saved), choice);
  }
  watcher.remark("nothing to resume in " + where + "; starting anew");
  return std::nullopt;
}

void finish_run(const fs::path& checkpoint) {
  std::error_code gone;
  fs::rename(checkpoint, checkpoint.parent_path() / kFinished, gone);
}

}  // namespace coppice
