// See latency_meter.h.
#include "prune/latency/latency_meter.h"

#include <cmath>
#include <filesystem>

#include "core/attempt.h"
#include "core/error.h"
#include "core/files.h"
#include "core/machine/cache_folder.h"
#include "groups/cut/cut_out.h"
#include "prune/latency/measure_layers.h"
#include "runtime/latency.h"

namespace coppice {
namespace {

constexpr int kMostTries = 5;
constexpr double kMostKept = 0.999;  // a budget removes something

// Of what a table in the cache depends on.
std::string key_of(const LatencyTable& here, const AllocationOptions& allocation) {
  std::string key = here.net + " " + allocation.rounding.key();
  for (const char kept : allocation.kept_groups) key += kept ? '1' : '0';
  return key + "\n" + here.cpu + "\n" + std::to_string(here.threads);
}

void require_same(const LatencyTable& table, const LatencyTable& here, const std::string& path) {
  const auto refuse = [&](const std::string& what) {
    fail_input("'" + path + "' was measured " + what + "; name another file to measure anew");
  };
  if (table.net != here.net) refuse("of another net than this one");
  if (table.cpu != here.cpu)
    refuse("on another processor: found '" + table.cpu + "', this is '" + here.cpu + "'");
  if (table.threads != here.threads) {
    refuse("with " + std::to_string(table.threads) + " threads, expected " +
           std::to_string(here.threads));
  }
}

bool exists(const std::string& path) {
  std::error_code gone;
  return std::filesystem::exists(path, gone);
}

}  // namespace

MeasuredLayers LatencyMeter::measured_table(const Traced& traced, const LatencyTable& here,
                                            const AllocationOptions& allocation) const {
  MeasureLayers measuring{.cpu = here.cpu,
                          .net = here.net,
                          .threads = here.threads,
                          .rounding = allocation.rounding,
                          .kept_groups = allocation.kept_groups,
                          .seed = options_.seed};
  if (options_.progress) {
    measuring.before_run = [this](int done, int runs) {
      options_.progress("measuring layers at several widths", done, runs);
    };
  }
  return measure_layers(traced, measuring);
}

LatencyTable LatencyMeter::table_for(const Traced& traced, const std::string& net,
                                     const AllocationOptions& allocation) const {
  const LatencyTable here{.cpu = options_.cpu, .threads = options_.threads, .net = net};
  const std::string& named = options_.table_file;
  if (!named.empty()) {
    if (!exists(named)) {
      LatencyTable table = measured_table(traced, here, allocation).table;
      write_text(named, to_json(table));
      return table;
    }
    LatencyTable table = read_latency_table(named);
    require_same(table, here, named);
    return table;
  }
  if (options_.cache_folder.empty()) return measured_table(traced, here, allocation).table;
  const auto kept = cache_file(options_.cache_folder, key_of(here, allocation), ".json");
  // A cache that can't be read is none.
  if (auto table = attempt(ErrorKind::input, [&] { return read_latency_table(kept.string()); })) {
    return std::move(*table);
  }
  MeasuredLayers measured = measured_table(traced, here, allocation);
  if (measured.steady) keep_in_cache(kept, to_json(measured.table));
  return std::move(measured.table);
}

std::shared_ptr<const LatencyModel> LatencyMeter::model(const Traced& traced,
                                                        const AllocationOptions& allocation) {
  if (model_ && found_in_ == traced.found()) return model_;
  const std::string net = structure_hash(traced);
  if (!model_ || net != model_->table().net) {
    model_ = std::make_shared<LatencyModel>(traced, table_for(traced, net, allocation));
    correction_.reset();
  }
  found_in_ = traced.found();
  return model_;
}

std::optional<double> LatencyMeter::measured_share(const Traced& traced,
                                                   const Removal& removal) const {
  const Target target{.threads = options_.threads};
  const Removal none(removal.size(), 0);
  std::vector<Executable> nets;
  for (const Removal* units : {&none, &removal}) {
    nets.push_back(compile(cut_out(traced.graph(), traced.groups(), *units), {}, target));
  }
  LatencyOptions options{.seed = options_.seed};
  if (options_.progress) {
    options.before_run = [this](int done, int runs) {
      options_.progress("measuring the cut", done, runs);
    };
  }
  const std::vector<Latency> found = measure_in_turns(nets, options);
  const auto faster = speedup(found[0], found[1]);
  return faster ? std::optional(1 / *faster) : std::nullopt;
}

Allocation LatencyMeter::allocate(const Traced& traced, const Scores& scores,
                                  AllocationOptions options) {
  const double asked = options.budget.kept;
  options.latency = model(traced, options);
  if (correction_) {
    options.budget.kept = std::min(kMostKept, asked * *correction_);
    return coppice::allocate(traced.groups(), traced.costs(), scores, options);
  }
  std::optional<Allocation> best;
  double correction = 1;
  for (int tries = 1; tries <= kMostTries; ++tries) {
    options.budget.kept = std::min(kMostKept, asked * correction);
    auto allocation = attempt(ErrorKind::target, [&] {
      return coppice::allocate(traced.groups(), traced.costs(), scores, options);
    });
    if (!allocation) {
      if (best) break;
      return coppice::allocate(traced.groups(), traced.costs(), scores, options);  // says why
    }
    const bool again = best && best->removal == allocation->removal;
    Found found{.asked = asked,
                .foretold = options.latency->share(allocation->removal),
                .measured = again ? found_->measured : measured_share(traced, allocation->removal),
                .tries = tries};
    const auto away = [&](const Found& of) { return std::abs(*of.measured - asked); };
    if (!found.measured || !best || away(found) < away(*found_)) {
      best = std::move(allocation);
      found_ = found;
      correction_ = correction;
    }
    if (!found.measured || away(found) <= kNear * asked || again) break;
    correction *= asked / *found.measured;
  }
  return std::move(*best);
}

}  // namespace coppice
