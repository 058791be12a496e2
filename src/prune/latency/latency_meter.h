// A budget of time: what cuts take is foretold from a table that is measured once for each net and
// processor, and what comes out is measured.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "prune/budget/allocate.h"
#include "prune/latency/latency_model.h"
#include "prune/latency/measure_layers.h"
#include "prune/masks/masks.h"

namespace coppice {

class Executable;  // runtime/executable.h

class LatencyMeter {
 public:
  struct Options {
    // Read where it is there, written where it isn't; empty: the table is kept by itself.
    std::string table_file = {};
    std::string cache_folder = {};  // of tables that are kept by themselves; empty: they aren't
    std::string cpu = {};
    int threads = 1;
    uint64_t seed = 0;
    // How far measuring has come: "measuring layers", 3 of 15. May throw, to stop.
    std::function<void(const std::string& doing, int done, int total)> progress = {};
  };
  // What became of a budget: all as shares of the time that the whole net takes.
  struct Found {
    double asked = 0, foretold = 0;
    std::optional<double> measured = {};  // nothing where the machine was too busy to tell
    int tries = 0;                        // cuts that were measured on the way
    std::string why = {};                 // where none of them is near: what stands in the way
  };

  explicit LatencyMeter(Options options) : options_(std::move(options)) {}

  // Of a net as it was traced; measured where no table is there. `allocation`: what the cut will be
  // rounded by, and what it leaves alone. Throws Error::input where a file's table is of another
  // net, processor or number of threads, or for what the runtime can't run.
  std::shared_ptr<const LatencyModel> model(const Traced& traced,
                                            const AllocationOptions& allocation);
  // The allocation whose cut comes nearest to the budget, which is of latency, by its measured
  // time: what is foretold is corrected by what was measured, until it is within kNear of what was
  // asked or nothing comes nearer. Later calls for the same net go by what the first came to.
  Allocation allocate(const Traced& traced, const Scores& scores, AllocationOptions options);
  // Shares of zeros by layer (`layers`), with which the masked net takes `kept` of the time that it
  // takes as it came: foretold from measured times (sparse_times.h), measured and corrected alike,
  // in the runtime that leaves zeros out where that is faster. Other tables are no use for it: it
  // measures anew.
  MagnitudeOptions allocate(const Graph& graph, MagnitudeOptions pruning, double kept);
  // The last that `allocate` came to.
  const std::optional<Found>& found() const { return found_; }
  // What a share that is asked for is to be multiplied by, so that what was foretold with it is
  // measured as it was asked for.
  std::optional<double> correction() const { return correction_; }

  static constexpr double kNear = 0.05;  // of the share that was asked for

 private:
  LatencyTable table_for(const Traced& traced, const std::string& net,
                         const AllocationOptions& allocation) const;
  MeasuredLayers measured_table(const Traced& traced, const LatencyTable& here,
                                const AllocationOptions& allocation) const;
  // Of what the first takes by the second; nothing where the machine was too busy to tell.
  std::optional<double> measured_share(Executable whole, Executable cut) const;

  template <typename Chosen, typename At, typename Foretold, typename Measured>
  std::optional<Chosen> nearest(double asked, const std::string& why, At at, Foretold foretold,
                                Measured measured);

  Options options_;
  std::shared_ptr<const Traced::Found> found_in_;  // that model_ is known to be of
  std::shared_ptr<const LatencyModel> model_;
  std::optional<double> correction_;
  std::optional<Found> found_;
};

}  // namespace coppice
