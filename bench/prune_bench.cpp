// Pruning a model, stage by stage, in one process:
//
//   prune_bench MODEL.onnx [--runs N] [--peer 'COMMAND']
//
// prints the median of N runs (9) of: read; trace, score and allocate, surgery; write; proof. With
// a peer, COMMAND is run once between our runs; the last number it prints is its time in seconds
// for trace and prune, without start-up. bench/peer_torch_pruning.py is such a command:
//
//   prune_bench resnet50.onnx --peer 'python3 bench/peer_torch_pruning.py resnet50'

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "groups/cut/surgery.h"
#include "measure.h"
#include "methods/one_shot/one_shot.h"
#include "onnx/onnx.h"

namespace {

using namespace coppice;

struct Times {
  double read, trace, score, surgery, write, proof;
  double core() const { return trace + score + surgery; }
};

Times run_once(const std::string& model, const std::filesystem::path& target) {
  Times times{};
  Stopwatch watch;
  const Graph graph = read_onnx(model);
  times.read = watch.lap_ms();
  const Groups groups = find_groups(graph);
  times.trace = watch.lap_ms();
  const Criterion& criterion = find_criterion("l2");
  const Scores scores = score_units(graph, groups, criterion, {});
  const Allocation chosen = allocate(groups, CostModel(graph, groups, infer(graph)), scores,
                                     {.budget = {Budget::Of::ratio, 0.7}});
  times.score = watch.lap_ms();
  Graph cut = graph;
  remove_units(cut, groups, chosen.removal);
  times.surgery = watch.lap_ms();
  write_onnx(cut, target);
  times.write = watch.lap_ms();
  prove_removal(graph, groups, chosen.removal, cut, 0);
  times.proof = watch.lap_ms();
  return times;
}

void print(const char* name, const std::vector<Times>& all, double Times::*stage) {
  std::vector<double> values;
  for (const Times& times : all) values.push_back(times.*stage);
  std::printf("  %-22s %8.1f ms\n", name, median(values));
}

}  // namespace

int main(int argc, char** argv) {
  std::string model, peer;
  int runs = 9;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--peer" && i + 1 < argc) {
      peer = argv[++i];
    } else if (word == "--runs" && i + 1 < argc) {
      runs = std::max(1, std::atoi(argv[++i]));
    } else {
      model = word;
    }
  }
  if (model.empty()) {
    std::fprintf(stderr, "usage: prune_bench MODEL.onnx [--runs N] [--peer 'COMMAND']\n");
    return 2;
  }
  const auto target = std::filesystem::temp_directory_path() / "prune_bench_cut.onnx";
  std::vector<Times> all;
  std::vector<double> core, peers;
  for (int run = 0; run <= runs; ++run) {
    const Times times = run_once(model, target);
    if (run == 0) continue;  // fills caches
    all.push_back(times);
    core.push_back(times.core());
    if (!peer.empty()) peers.push_back(run_peer(peer));
  }
  std::filesystem::remove(target);
  std::printf("%s, median of %d\n", model.c_str(), runs);
  print("read", all, &Times::read);
  print("trace and groups", all, &Times::trace);
  print("score and allocate", all, &Times::score);
  print("surgery", all, &Times::surgery);
  print("write", all, &Times::write);
  print("proof", all, &Times::proof);
  std::printf("  %-22s %8.1f ms\n", "trace + score + cut", median(core));
  if (!peers.empty()) {
    const double theirs = median(peers) * 1000;
    std::printf("  %-22s %8.1f ms, %.1f times ours\n", "peer", theirs, theirs / median(core));
  }
  return 0;
}
