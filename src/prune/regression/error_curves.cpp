// See error_curves.h.
#include "prune/regression/error_curves.h"

#include <algorithm>

#include "core/error.h"
#include "prune/regression/turns.h"

namespace coppice {
namespace {

constexpr int64_t kTried = 8;  // counts of units that leave

// Of what the layer's normalised outputs are a part of; never next to nothing beside them.
double variance_of_sum(const Turn& turn, const WantedSamples& wanted) {
  constexpr double kLeast = 1e-3;
  const double own = turn.counts.dot(turn.moments.outputs);
  if (!wanted.other) return own;
  const auto outputs = wanted.outputs->as<float>(), other = wanted.other->as<float>();
  const int64_t samples = wanted.outputs->shape()[0], filters = wanted.outputs->shape()[1];
  const auto count = static_cast<double>(samples);
  double total = 0;
  for (int64_t k = 0; k < std::ssize(turn.rows); ++k) {
    double sum = 0, squares = 0;
    for (int64_t r = 0; r < samples; ++r) {
      const int64_t at = r * filters + turn.rows[k];
      const double x = turn.factor[k] * outputs[at] + other[at];
      sum += x;
      squares += x * x;
    }
    total += squares / count - sum / count * (sum / count);
  }
  return std::max(total, own * kLeast);
}

double error_of(const Turn& turn, const ReadUnits& read, const std::vector<int64_t>& support) {
  std::vector<int64_t> kept;
  for (size_t c = 0; c < turn.columns.size(); ++c) {
    const int64_t u = read.unit_of_column[c];
    if (u < 0 || std::ranges::binary_search(support, u)) kept.push_back(static_cast<int64_t>(c));
  }
  return turn.counts.dot(squared_errors(turn.moments, kept, least_squares(turn.moments, kept)));
}

// As a share of `whole`.
std::vector<double> curve(const Turn& turn, const ReadUnits& read, const LassoProblem& problem,
                          double whole) {
  const int64_t units = problem.correlation.size();
  std::vector<double> errors(units, 0);
  int64_t last = 0;  // how many left
  for (int64_t i = 1; i <= kTried; ++i) {
    const int64_t leave = std::min(units - 1, units * i / kTried);
    if (leave <= last) continue;
    const double error = error_of(turn, read, lasso_support(problem, units - leave)) / whole;
    const double from = errors[last], to = std::max(error, from);
    for (int64_t n = last + 1; n <= leave; ++n) {
      errors[n] =
          from + (to - from) * static_cast<double>(n - last) / static_cast<double>(leave - last);
    }
    last = leave;
  }
  return errors;
}

}  // namespace

std::vector<std::vector<double>> error_curves(const Graph& graph, const Groups& groups,
                                              const std::vector<char>& whole,
                                              const RegressionOptions& options) {
  COPPICE_CHECK(options.measure != nullptr, "nothing to measure on");
  RegressionOptions looking = options;
  looking.refit = RegressionOptions::Refit::none;
  Widths widths;  // a unit of each is to leave, so its readers are looked at
  for (size_t g = 0; g < groups.free.size(); ++g) {
    const int64_t units = groups.free[g].units();
    widths.push_back(whole[g] || units < 2 ? units : units - 1);
  }
  const std::vector<LayerWork> works = layer_works(graph, groups, widths, looking);
  const Turns turns(graph, groups, works, looking);
  const NetByNow net{graph, Removal(groups.unit_count, 0)};
  OriginalSamples wanted(graph, groups, works, looking.measure);
  const auto tell = [&](size_t done) {
    if (looking.after_layer) looking.after_layer(static_cast<int64_t>(done), std::ssize(works));
  };
  std::vector<std::vector<double>> curves(groups.free.size());
  tell(0);
  for (size_t w = 0; w < works.size(); ++w) {
    const WantedSamples outputs = wanted.of(w);
    within(where(graph, graph.nodes[works[w].node]), [&] {
      if (works[w].decides.empty()) return;
      const Turn turn = turns.of(works[w], outputs, net);
      if (!turns.varies(turn)) return;
      const double variance = variance_of_sum(turn, outputs);
      for (const size_t g : works[w].decides) {
        curves[g] =
            curve(turn, turns.read_units(turn, g), turns.problem_of(turn, g, net), variance);
      }
    });
    tell(w + 1);
  }
  return curves;
}

}  // namespace coppice
