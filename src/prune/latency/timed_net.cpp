// See timed_net.h.
#include "prune/latency/timed_net.h"

#include <algorithm>

namespace coppice {
namespace {

Target with_clock(Target target) {
  target.profile = Target::Profile::on;
  return target;
}

double median(std::vector<double> times) {
  std::ranges::nth_element(times, times.begin() + std::ssize(times) / 2);
  return times[times.size() / 2];
}

}  // namespace

TimedNet::TimedNet(const Graph& graph, Target target, uint64_t seed)
    : executable_(compile(graph, {}, with_clock(target))),
      threads_(target.threads),
      inputs_(random_inputs(executable_, seed)),
      outputs_(executable_.allocate_outputs()) {}

void TimedNet::run() {
  executable_.run(inputs_, outputs_);
  std::map<std::string, double> of_run;
  double all = 0;
  for (const LayerTime& layer : executable_.layer_times()) {
    of_run[layer.name] += layer.ms;
    all += layer.ms;
  }
  runs_.push_back({all, all});
  for (const auto& [name, time] : of_run) ms_[name].push_back(time);
}

std::map<std::string, double> TimedNet::median_ms() const {
  std::map<std::string, double> medians;
  for (const auto& [name, times] : ms_) medians[name] = median(times);
  return medians;
}

bool TimedNet::steady() const { return coppice::steady(latency_of(runs_, threads_)); }

}  // namespace coppice
