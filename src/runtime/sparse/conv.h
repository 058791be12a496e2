// A two-dimensional convolution of sparse weights over images that lie in planes (planes.h): any
// kernel, stride, dilation, padding and groups whose geometry the planes' zeros cover.
//
// With stride 1 taps are offsets into the input. With larger strides the pixels that a tap reads
// are first gathered into a scratch of phases, images of the output's size, in which every tap is
// an offset again. Work is split by tiles of pixels, or by rows where a map has few of them; a
// pixel's sum has one order, whoever computes it.
#pragma once

#include <array>
#include <vector>

#include "runtime/sparse/planes.h"
#include "runtime/sparse/stream.h"
#include "runtime/sparse/tiles.h"

namespace coppice::runtime {

struct SparseWindow {
  std::array<int64_t, 2> kernel, strides, dilations, begin;  // begin: padding above, left
  int64_t groups = 1;
};

// What a sparse convolution needs of the sizes it stands between; false where its geometry has no
// such planes.
bool require_planes(PlaneSizes& sizes, const Shape& x, const Shape& y, const SparseWindow& window);

// How one is computed: all give the same sums in other orders.
struct SparseVariant {
  Isa isa = Isa::portable;
  int vectors = 8;              // of a tile, at most; fewer where the loops have fewer
  int64_t chunk_bytes = 24576;  // of a tile's input that rows run through at a time

  bool operator==(const SparseVariant&) const = default;
};

class SparseConv {
 public:
  // `weight`: [O, I/G, K, K]. Requires: require_planes of these sizes was true.
  SparseConv(const Tensor& weight, const SparseWindow& window, const Planes& x, const Planes& y,
             const SparseVariant& variant);

  size_t scratch_bytes() const { return static_cast<size_t>(scratch_floats_) * sizeof(float); }
  size_t weight_bytes() const;
  int rows_together() const { return streams_.empty() ? 1 : streams_.front().rows_together; }

  struct Operands {
    const float* x;
    float* y;
    float* scratch;      // scratch_bytes(); null where none
    const float* bias;   // [O]
    const float* start;  // as y lies, may be y; added before `finish`. Or null
    std::span<const Finish> finish;
    int threads;
  };
  void run(const Operands& operands) const;

 private:
  struct Phase {
    int64_t row, column;  // of the input's pixels, modulo the strides
  };
  int64_t chunk_channels(const Tensor& weight, int64_t pixels, int rows_together,
                         const SparseVariant& variant) const;
  void set_taps(const Tensor& weight, StreamOptions& options);
  void gather(const Operands& operands) const;
  void gather_plane(const float* from, float* to, const Phase& phase) const;
  void run_tiles(const Operands& operands, int64_t image, int64_t item, int64_t parts) const;

  SparseWindow window_;
  Planes x_, y_;
  const TileSet* tiles_;
  std::vector<Stream> streams_;
  std::vector<uint32_t> mask_;
  std::vector<int64_t> tile_begins_;                // in vectors
  std::vector<Phase> phases_;                       // empty where the input is read as it lies
  std::array<int64_t, 2> first_reach_{}, reach_{};  // of taps in a phase: least, and how far on
  int64_t phase_plane_ = 0, phase_floats_ = 0, scratch_floats_ = 0;
};

}  // namespace coppice::runtime
