// The LASSO path from a Gram matrix beside scikit-learn's lasso_path on the same matrix, with the
// same alphas and tolerance, in the same run; and all that Channel Pruning does with a layer's
// samples: Gram matrix, support, least squares.
//
//   lasso_bench [--columns N] [--runs N] [--peer 'COMMAND'] [--samples N] [--layers N]
//
// Paths are timed by processor time, of one thread each, which is what to go by on a machine that
// others use; the layers by the clock. The peer gets the name of a folder with gram.bin,
// correlation.bin and alphas.bin (doubles) and columns.txt; it prints its milliseconds, one run a
// line, and writes path.bin, [columns, alphas]. bench/peer_sklearn_lasso.py is one, for Debian's
// python3-sklearn.
//
//   OPENBLAS_NUM_THREADS=1 lasso_bench --peer '/usr/bin/python3 bench/peer_sklearn_lasso.py'

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "core/random.h"
#include "measure.h"
#include "prune/regression/choose_units.h"

namespace coppice {
namespace {

struct Options {
  int64_t columns = 512, runs = 7, samples = 50'000, layers = 1;
  std::string peer;
};

// Correlated columns of very different sizes, as channels are, and an output that all of them are
// part of.
LassoProblem problem_of(int64_t columns) {
  Random random(1);
  const int64_t rows = 8 * columns, common = columns / 4;
  Matrix mixing(common, columns), samples(rows, columns);
  for (double& m : mixing.reshaped()) m = random.normal();
  Vector wanted = Vector::Zero(rows), size(columns);
  for (double& s : size) s = std::exp(random.normal());
  Matrix hidden(rows, common);
  for (double& h : hidden.reshaped()) h = random.normal();
  samples.noalias() = hidden * mixing / std::sqrt(static_cast<double>(common));
  for (double& s : samples.reshaped()) s += 0.5 * random.normal();
  samples = Matrix(samples * size.asDiagonal());
  wanted = samples.rowwise().sum();
  for (double& y : wanted) y += random.normal();
  const double n = static_cast<double>(rows);
  return {samples.transpose() * samples / n, samples.transpose() * wanted / n,
          wanted.squaredNorm() / n};
}

// A hundred, down to a thousandth of the largest, as lasso_path has them.
std::vector<double> alphas_of(const LassoProblem& problem) {
  std::vector<double> alphas;
  for (int i = 0; i < 100; ++i) {
    alphas.push_back(largest_alpha(problem) * std::pow(10, -3.0 * i / 99));
  }
  return alphas;
}

void save(const std::filesystem::path& file, const double* data, int64_t count) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(data), count * static_cast<int64_t>(sizeof(double)));
}

struct Spread {
  double median, low, high;
};

Spread spread_of(std::vector<double> ms) {
  std::ranges::sort(ms);
  return {ms[ms.size() / 2], ms.front(), ms.back()};
}

double gap_of(const LassoProblem& problem, const Vector& b, double alpha) {
  return 0.5 * b.dot(problem.gram * b) - problem.correlation.dot(b) + alpha * b.lpNorm<1>();
}

Spread time_peer(const Options& options, const LassoProblem& problem,
                 const std::vector<double>& alphas, const Matrix& ours) {
  const auto folder = std::filesystem::temp_directory_path() / "coppice_lasso_bench";
  std::filesystem::create_directories(folder);
  save(folder / "gram.bin", problem.gram.data(), problem.gram.size());
  save(folder / "correlation.bin", problem.correlation.data(), problem.correlation.size());
  save(folder / "alphas.bin", alphas.data(), std::ssize(alphas));
  std::ofstream(folder / "columns.txt") << options.columns << " " << problem.square << " "
                                        << options.runs << " " << LassoOptions{}.tolerance;
  const std::string command = options.peer + " " + folder.string();
  std::vector<double> ms;
  FILE* pipe = popen(command.c_str(), "r");
  double value = 0;
  while (pipe && std::fscanf(pipe, "%lf", &value) == 1) ms.push_back(value);
  if (!pipe || pclose(pipe) != 0 || ms.empty()) {
    std::fprintf(stderr, "the peer failed: %s\n", command.c_str());
    std::exit(1);
  }
  Matrix theirs(options.columns, std::ssize(alphas));
  std::ifstream(folder / "path.bin", std::ios::binary)
      .read(reinterpret_cast<char*>(theirs.data()),
            theirs.size() * static_cast<int64_t>(sizeof(double)));
  double worst = 0;  // how much larger an objective of ours is, as a share of y2
  for (int64_t i = 0; i < theirs.cols(); ++i) {
    const double more =
        gap_of(problem, ours.col(i), alphas[i]) - gap_of(problem, theirs.col(i), alphas[i]);
    worst = std::max(worst, more / problem.square);
  }
  std::printf("our objective is larger by %.1e of y2 at most (both end by a gap of %.0e)\n", worst,
              LassoOptions{}.tolerance);
  std::filesystem::remove_all(folder);
  return spread_of(ms);
}

void compare_paths(const Options& options) {
  const LassoProblem problem = problem_of(options.columns);
  const std::vector<double> alphas = alphas_of(problem);
  Matrix path;
  std::vector<double> ms;
  for (int64_t run = 0; run < options.runs; ++run) {
    const std::clock_t start = std::clock();
    path = lasso_path(problem, alphas);
    ms.push_back(1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  const Spread ours = spread_of(ms);
  std::printf("path of %zu alphas, %ld columns: median %.1f ms (%.1f to %.1f), %ld runs\n",
              alphas.size(), static_cast<long>(options.columns), ours.median, ours.low, ours.high,
              static_cast<long>(options.runs));
  if (options.peer.empty()) return;
  const Spread theirs = time_peer(options, problem, alphas, path);
  std::printf("peer: median %.1f ms (%.1f to %.1f); %.1fx\n", theirs.median, theirs.low,
              theirs.high, theirs.median / ours.median);
}

// As Channel Pruning does it: moments of the samples, half of the channels, their weights.
void time_layer(const Options& options, int64_t channels, int64_t taps) {
  Random random(2);
  const int64_t features = channels * taps;
  Tensor inputs = Tensor::zeros(DType::f32, {options.samples, features});
  random.fill_normal(inputs.mutate<float>(), 1);
  Matrix wanted(options.samples, channels);
  for (double& y : wanted.reshaped()) y = random.uniform() - 0.5;
  Matrix weight(channels, features);
  for (double& w : weight.reshaped()) w = random.uniform() - 0.5;
  std::vector<int64_t> columns(features), unit_of(features);
  std::iota(columns.begin(), columns.end(), 0);
  for (int64_t f = 0; f < features; ++f) unit_of[f] = f / taps;
  Stopwatch watch;
  const SampleMoments moments = moments_of(inputs, columns, wanted);
  const double gram_ms = watch.lap_ms();
  const ReadUnits read{&moments, weight, Vector::Ones(channels), unit_of};
  const auto support = lasso_support(units_problem(read, channels), channels / 2);
  const double path_ms = watch.lap_ms();
  std::vector<int64_t> kept;
  for (const int64_t u : support) {
    for (int64_t t = 0; t < taps; ++t) kept.push_back(u * taps + t);
  }
  const AffineMap fit = least_squares(moments, kept);
  const double fit_ms = watch.lap_ms();
  std::printf(
      "%4ld channels, %ld taps, %ld samples: Gram %.0f ms, choice %.0f, least squares %.0f, "
      "together %.2f s\n",
      static_cast<long>(channels), static_cast<long>(taps), static_cast<long>(options.samples),
      gram_ms, path_ms, fit_ms, (gram_ms + path_ms + fit_ms) / 1e3);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--peer") {
      options.peer = argv[i + 1];
      continue;
    }
    int64_t& number = name == "--columns"   ? options.columns
                      : name == "--runs"    ? options.runs
                      : name == "--samples" ? options.samples
                                            : options.layers;
    number = std::max(0, std::atoi(argv[i + 1]));
  }
  return options;
}

}  // namespace
}  // namespace coppice

int main(int argc, char** argv) {
  using namespace coppice;
  const Options options = parse(argc, argv);
  compare_paths(options);
  if (options.layers == 0) return 0;
  time_layer(options, 512, 1);
  for (const int64_t channels : {64, 128, 256}) time_layer(options, channels, 9);
}
