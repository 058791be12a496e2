// See max_drop.h. A budget is taken to cost the more accuracy the smaller it is; where it doesn't,
// what is found keeps the accuracy all the same.
#include "tasks/max_drop/max_drop.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "data/parts.h"
#include "methods/options/blocks.h"
#include "model/load.h"
#include "onnx/onnx.h"
#include "report/format.h"
#include "session/options/training_options.h"
#include "tasks/parts/judge.h"
#include "tasks/parts/output_path.h"
#include "tasks/parts/training.h"
#include "tasks/runs/prune_kept.h"
#include "tasks/runs/run_watcher.h"

namespace coppice {
namespace {

constexpr double kStrongest = 0.05, kWeakest = 0.95;
constexpr int64_t kHalvings = 6;  // the budget is found to 0.015

std::string kept_text(double kept) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.4f", kept);
  return text.data();
}

PruneRequest at_budget(const PruneRequest& request, double kept) {
  PruneRequest at = request;
  if (at.settings.options().empty()) at.settings = Settings(options_of(find_method(at.method)));
  at.settings.set(kKeepMacs, kept_text(kept));
  return at;
}

// What every budget is judged by: training images that no training sees.
class HeldOut {
 public:
  HeldOut(const PruneRequest& request, const Graph& graph, Watcher& watcher)
      : judge_(open_judge(request.settings, graph, Fit::classifier, watcher)),
        dataset_(judge_.data().open(Split::train)),
        watcher_(watcher) {
    const auto share = request.settings.given(kHeldOut);
    images_ = parts_of(*dataset_, {.held_out = share.value_or(usual_held_out(dataset_->size()))})
                  .at(Part::held_out);
    if (images_.empty()) {
      fail_usage(kHeldOut.flag() + " 0: the drop is judged by images held out; leave it out");
    }
  }

  double top1_of(Graph graph) const {
    return evaluate(std::move(graph), *dataset_, judge_.preprocessing(),
                    {.indices = images_, .doing = "judging", .metrics = Metrics::none}, watcher_)
        .top1;
  }
  int64_t count() const { return std::ssize(images_); }

 private:
  Judge judge_;
  std::unique_ptr<Dataset> dataset_;
  std::vector<int64_t> images_;
  Watcher& watcher_;
};

class Halving {
 public:
  Halving(const MaxDropRequest& request, const PruneRequest& pruning, Watcher& watcher)
      : request_(request),
        pruning_(pruning),
        watcher_(watcher),
        sha256_(model_sha256(pruning.model, pruning.common.seed).get()),
        original_(
            load_model(pruning.model, pruning.common.seed, pruning.common.input_shapes).graph),
        held_out_(pruning, original_, watcher) {}

  MaxDropReport run() {
    report_.original = held_out_.top1_of(original_);
    report_.images = held_out_.count();
    if (!keeps(kWeakest)) fail_too_much();
    double too_strong = kStrongest, kept = kWeakest;
    for (int64_t i = 0; i < kHalvings; ++i) {
      const double middle = (too_strong + kept) / 2;
      (keeps(middle) ? kept : too_strong) = middle;
    }
    PruneRequest last = at_budget(pruning_, kept);
    last.resume = std::filesystem::exists(last.common.run_folder / "checkpoint");
    report_.pruned = prune(last, watcher_);
    return std::move(report_);
  }

 private:
  [[noreturn]] void fail_too_much() const {
    const TriedBudget& weakest = report_.tried.front();
    fail_target("--max-drop " + significant(request_.points, 3) + ": even with " +
                    significant(kWeakest, 3) + " of the multiply-accumulates kept " +
                    (weakest.top1 ? "the images held out go from " + percentage(report_.original) +
                                        " to " + percentage(*weakest.top1)
                                  : "the budget can't be met: " + weakest.why_not),
                {option_hint("recover", "all", "makes up for part of what leaves"),
                 option_hint("epochs", "5", "trains what is left")});
  }

  bool keeps(double kept) {
    TriedBudget tried{.kept = kept};
    RunWatcher watcher("keeping " + percentage(kept), std::ssize(report_.tried) + 1, kHalvings + 1,
                       watcher_);
    try {
      tried.top1 = top1_at(kept, watcher);
      tried.keeps = *tried.top1 >= report_.original - request_.points / 100;
      watcher.remark("top-1 " + percentage(*tried.top1) + " of " + percentage(report_.original) +
                     " on images held out");
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::target) throw;
      tried.why_not = error.what();
      watcher.remark(tried.why_not);
    }
    report_.tried.push_back(tried);
    return tried.keeps;
  }

  double top1_at(double kept, Watcher& watcher) {
    PruneRequest pruning = at_budget(pruning_, kept);
    const KeptRun run(pruning_.common.run_folder / "max-drop" / ("keep-" + kept_text(kept)),
                      request_of("prune", sha256_, pruning.settings, pruning.common.seed,
                                 {{"--method", pruning.method}}));
    if (const auto done = run.report()) {
      run.require_same_request();
      return done->at("held_out_top1");
    }
    pruning.judged = pruning.latency = false;
    pruning.controls = {};
    const Json report = prune_kept(run, std::move(pruning), watcher, [&](Json& json) {
      json["held_out_top1"] = held_out_.top1_of(read_onnx(run.path("model.onnx")));
    });
    return report.at("held_out_top1");
  }

  const MaxDropRequest& request_;
  const PruneRequest& pruning_;
  Watcher& watcher_;
  std::string sha256_;
  Graph original_;
  HeldOut held_out_;
  MaxDropReport report_;
};

}  // namespace

void check(const MaxDropRequest& request) {
  const PruneRequest& pruning = request.pruning;
  const Method& method = find_method(pruning.method);
  const std::string found = "--max-drop finds the budget, found ";
  if (!has_option(options_of(method), kKeepMacs)) {
    fail_usage(found + "--method " + pruning.method + ", which has none of multiply-accumulates");
  }
  for (const Option* budget : budget_options()) {
    if (pruning.settings.has(*budget)) {
      fail_usage(found + budget->flag() + " beside it; leave one of them out");
    }
  }
  if (!pruning.settings.has(kData)) {
    fail_usage(
        "--max-drop judges by images: add --data, for example cifar10:DIR; 'coppice data' "
        "lists the forms");
  }
  check(at_budget(pruning, kWeakest));
}

MaxDropReport prune_within_drop(const MaxDropRequest& request, Watcher& watcher) {
  check(request);
  PruneRequest pruning = request.pruning;
  pruning.common = with_run_folder(pruning.common, pruning.output);
  return Halving(request, pruning, watcher).run();
}

Json to_json(const MaxDropReport& report) {
  Json json = to_json(report.pruned);
  Json tried = Json::array();
  for (const TriedBudget& budget : report.tried) {
    Json one = {{"kept", budget.kept}, {"keeps", budget.keeps}};
    if (budget.top1) one["top1"] = *budget.top1;
    if (!budget.why_not.empty()) one["why_not"] = budget.why_not;
    tried.push_back(std::move(one));
  }
  json["max_drop"] = {
      {"original_top1", report.original}, {"images", report.images}, {"tried", std::move(tried)}};
  return json;
}

}  // namespace coppice
