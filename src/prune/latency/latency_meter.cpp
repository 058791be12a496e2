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
#include "prune/latency/sparse_times.h"
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

std::optional<double> LatencyMeter::measured_share(Executable whole, Executable cut) const {
  std::vector<Executable> nets;
  nets.push_back(std::move(whole));
  nets.push_back(std::move(cut));
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

// What `at` gives for a share of the time that the budget may be foretold to take, nothing where
// there is no such; `foretold` and `measured` of it are shares, too. The nearest to what was asked.
template <typename Chosen, typename At, typename Foretold, typename Measured>
std::optional<Chosen> LatencyMeter::nearest(double asked, const std::string& why, At at,
                                            Foretold foretold, Measured measured) {
  std::optional<Chosen> best;
  double correction = 1;
  int tries = 0;
  while (tries < kMostTries) {
    std::optional<Chosen> chosen = at(std::min(kMostKept, asked * correction));
    if (!chosen || (best && *best == *chosen)) break;
    ++tries;
    const Found found{
        .asked = asked, .foretold = foretold(*chosen), .measured = measured(*chosen), .why = why};
    const auto away = [&](const Found& of) { return std::abs(*of.measured - asked); };
    if (!best || (found.measured && away(found) < away(*found_))) {
      best = std::move(chosen);
      found_ = found;
      correction_ = correction;
    }
    if (!found.measured || away(found) <= kNear * asked) break;
    correction *= asked / *found.measured;
  }
  if (best) found_->tries = tries;
  return best;
}

Allocation LatencyMeter::allocate(const Traced& traced, const Scores& scores,
                                  AllocationOptions options) {
  const double asked = options.budget.kept;
  options.latency = model(traced, options);
  const auto at = [&](double kept) {
    options.budget.kept = kept;
    return coppice::allocate(traced.groups(), traced.costs(), scores, options);
  };
  if (correction_) return at(std::min(kMostKept, asked * *correction_));
  const Target target{.threads = options_.threads};
  const auto cut_by = [&](const Removal& removal) {
    return compile(cut_out(traced.graph(), traced.groups(), removal), {}, target);
  };
  const auto removal = nearest<Removal>(
      asked, "widths are rounded",
      [&](double kept) -> std::optional<Removal> {
        const auto found = attempt(ErrorKind::target, [&] { return at(kept); });
        if (!found) return std::nullopt;
        return found->removal;
      },
      [&](const Removal& chosen) { return options.latency->share(chosen); },
      [&](const Removal& chosen) {
        return measured_share(cut_by(Removal(chosen.size(), 0)), cut_by(chosen));
      });
  // By what was found, or to say why there is nothing.
  return at(std::min(kMostKept, asked * (removal ? *correction_ : 1)));
}

MagnitudeOptions LatencyMeter::allocate(const Graph& graph, MagnitudeOptions pruning, double kept) {
  using Zeros = std::map<std::string, double>;
  MeasureSparse measuring{.threads = options_.threads, .seed = options_.seed};
  if (options_.progress) {
    measuring.before_run = [this](int done, int runs) {
      options_.progress("measuring layers with several shares of zeros", done, runs);
    };
  }
  const SparseTimes times = measure_sparse(graph, pruning, measuring);
  const auto masked_by = [&](const Zeros& zeros) {
    MagnitudeOptions masking = pruning;
    masking.layers = zeros;
    Graph masked = graph;
    apply_masks(masked, magnitude_masks(graph, masking));
    return compile(masked, {}, {.threads = options_.threads, .sparsity = Target::Sparsity::timed});
  };
  const auto at = [&](double share) {
    return sparsity_by_time(graph, times, share * times.whole_ms);
  };
  const auto zeros = nearest<Zeros>(
      kept, "layers take other times together than by themselves",
      [&](double share) { return attempt(ErrorKind::target, [&] { return at(share); }); },
      [&](const Zeros& chosen) { return foretold_ms(times, chosen) / times.whole_ms; },
      [&](const Zeros& chosen) {
        return measured_share(compile(graph, {}, {.threads = options_.threads}), masked_by(chosen));
      });
  pruning.scope = MagnitudeOptions::Scope::layer;
  pruning.layers = zeros ? *zeros : at(kept);  // at: says why there is nothing
  return pruning;
}

}  // namespace coppice
