// Random small networks for property tests: a seed gives a valid graph of a few dozen nodes, put
// together from the idioms that exporters write and pruning tools trip over. Weights are scaled so
// that values stay near one. No node reads what was never made: every step picks from what is
// there.
#pragma once

#include <string>
#include <vector>

#include "core/random.h"
#include "graph/graph.h"
#include "graph/infer.h"

namespace coppice {

class RandomGraph {
 public:
  explicit RandomGraph(uint64_t seed) : random_(seed) {}
  Graph build();  // input x [N, C, H, W]; one or two outputs

 private:
  // Makes one more image from one that is there; some idioms give up and change nothing.
  using Step = void (RandomGraph::*)();

  void conv();
  void grouped_conv();
  void depthwise_conv();
  void shared_conv();
  void twisted_weight();
  void batch_norm();
  void unary();
  void channel_constant();
  void elementwise();
  void excite();
  void concat();
  void split();
  void slice();
  void pad_channels();
  void pool();
  void channels_last();
  void shuffle();
  void gather();
  void pixels_as_rows();
  void merge_batch();
  void computed_reshape();
  void channel_attention();
  void conv_transpose();
  void group_norm();
  void layer_norm();
  void resize();
  void pixel_shuffle();
  void pixel_unshuffle();
  void chunk();
  void head_attention();
  void merged_vectors();
  void broadcast_gate();
  void head();

  ValueId pick() { return images_[below(images_.size())]; }
  ValueId pick_like(ValueId other);  // as high and as wide
  void keep(ValueId image) { images_.push_back(image); }
  uint64_t below(uint64_t bound) { return random_.below(bound); }
  bool chance(double share) { return random_.uniform() < share; }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low + 1)));
  }

  Shape shape(ValueId id) const;  // at batch 2
  ValueId weight(const Shape& shape);
  ValueId vector(int64_t count, bool positive = false);
  ValueId ints(const std::vector<int64_t>& values);
  ValueId node(const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {});
  ValueId convolve(ValueId x, int64_t filters, int64_t kernel, int64_t group = 1);
  std::string name() { return "v" + std::to_string(graph_.values.size()); }

  Random random_;
  Graph graph_;
  std::vector<ValueId> images_;
};

}  // namespace coppice
