// How long a model takes to load in Coppice's runtime, and the memory that it then holds:
//
//   load_bench [--rounds N] [--threads N] MODEL...        .onnx or .coppice files
//
// first: with no choice of sparse layers kept from earlier, so that layers are timed; cached: with
// one, the median over the rounds, and its parts. Memory is the process's resident memory after a
// run, beyond what it has without a model (code of libraries is there by then); peak, that of a
// cached load.

#include <malloc.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "codec/container/codec.h"
#include "measure.h"
#include "onnx/onnx.h"
#include "runtime/executable.h"
#include "runtime/latency.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

struct Options {
  int rounds = 5, threads = 1;
  std::vector<std::string> models;
};

// A line of /proc/self/status, in MB.
double status_mb(const char* name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::stod(line.substr(std::strlen(name) + 1)) / 1000;
  }
  return 0;
}

void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

struct Loaded {
  Executable executable;
  double unpack_ms, parse_ms, compile_ms;
  double ms() const { return unpack_ms + parse_ms + compile_ms; }
};

Loaded load(const std::string& path, const Options& options, const std::string& folder) {
  Target target;
  target.threads = options.threads;
  target.sparsity = Target::Sparsity::timed;
  target.choices_folder = folder;
  Stopwatch watch;
  Buffer file = read_file(path);
  if (is_container(file.bytes())) file = decode(file);
  const double unpack_ms = watch.lap_ms();
  Graph graph = parse_onnx(file);
  file = {};
  const double parse_ms = watch.lap_ms();
  Executable executable = compile(std::move(graph), {}, target);
  return {std::move(executable), unpack_ms, parse_ms, watch.lap_ms()};
}

void measure(const std::string& path, const Options& options) {
  const TempDir folder;
  const double first_ms = load(path, options, folder.path()).ms();
  ::malloc_trim(0);
  const double before_mb = status_mb("VmRSS:");
  std::vector<double> all, unpack, parse, compile;
  double peak_mb = 0;
  for (int round = 0; round < options.rounds; ++round) {
    ::malloc_trim(0);
    forget_peak();
    const Loaded loaded = load(path, options, folder.path());
    peak_mb = std::max(peak_mb, status_mb("VmHWM:") - before_mb);
    all.push_back(loaded.ms());
    unpack.push_back(loaded.unpack_ms);
    parse.push_back(loaded.parse_ms);
    compile.push_back(loaded.compile_ms);
  }
  Loaded loaded = load(path, options, folder.path());
  const std::vector<Tensor> inputs = random_inputs(loaded.executable, 1);
  std::vector<Tensor> outputs = loaded.executable.allocate_outputs();
  loaded.executable.run(inputs, outputs);
  ::malloc_trim(0);
  std::printf("%-28s %7.0f %7.1f %7.1f %7.1f %7.1f %8.1f %8.1f %8.1f %8.1f\n",
              path.substr(path.rfind('/') + 1).c_str(), first_ms, median(all), median(unpack),
              median(parse), median(compile), status_mb("VmRSS:") - before_mb, peak_mb,
              static_cast<double>(loaded.executable.weight_bytes()) / 1e6,
              static_cast<double>(loaded.executable.arena_bytes()) / 1e6);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--rounds") && i + 1 < argc) {
      options.rounds = std::max(1, std::atoi(argv[++i]));
    } else if (!std::strcmp(argv[i], "--threads") && i + 1 < argc) {
      options.threads = std::max(1, std::atoi(argv[++i]));
    } else {
      options.models.emplace_back(argv[i]);
    }
  }
  return options;
}

int run(const Options& options) {
  std::printf("%-28s %7s %7s %7s %7s %7s %8s %8s %8s %8s\n", "model", "first", "cached", "unpack",
              "parse", "compile", "held MB", "peak MB", "weights", "arena");
  for (const std::string& model : options.models) measure(model, options);
  return 0;
}

}  // namespace
}  // namespace coppice

int main(int argc, char** argv) {
  return coppice::run_bench(argc, argv, coppice::parse, coppice::run);
}
