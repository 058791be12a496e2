// The runtimes that pruned models are deployed in: which widths each runs fast, as measured.
//
// Convolutions of ONNX Runtime on x86 compute channels in blocks, and leave their fast kernels for
// any width off a multiple of four; a model of fewer MACs can then be slower than the uncut one.
// docs/deploy.md has the figures, and the versions they were measured with.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace coppice {

struct Runtime {
  // What a million multiply-accumulates take on one thread, in microseconds, and what else takes
  // time. Of one CPU, so only ratios of times say anything about another one.
  struct Rates {
    double dense;      // a convolution with a kernel of more than one pixel
    double pointwise;  // of one pixel
    double depthwise;
    double grouped;  // with `lone` more, divided by the channels of a group
    double lone;
    double matrix;   // MatMul and Gemm
    double element;  // a million elements that are read or written beside these
  };

  const char* name;
  const char* about;    // for help texts: "ONNX Runtime with AVX2"
  const char* version;  // that was measured
  // Channels that are computed together: a width between multiples takes the time of the next one.
  // Those of each group of a convolution count, too. 1: none are.
  int64_t block;
  // Off its multiples convolutions lose their fast kernels; 1: none do.
  int64_t lane;
  Rates rates;
  // Times off the lane, over those on it: of dense convolutions, and of depthwise ones.
  double off_lane, off_lane_depthwise;
  // From this opset on versions of it join no convolution with what is behind it; 0: from none.
  int64_t unfused_opset;
  // Whether only the lowest opset that operators need is sure to be understood, and whether it may
  // be read by OpenCV 4.6's importer, which takes no Gather of channels (selections.h), no Clip
  // whose bounds are inputs (bounds.h), no uneven Split (splits.h), no convolution that leaves its
  // kernel's size to the weight, no output without a shape (unsaid.h), and hardly any shape
  // arithmetic.
  bool wants_lowest_opset, old_importer;
  // Times of grouped convolutions whose groups aren't multiples of the block, over those that are.
  double off_block_grouped;
};

// All that differ in any of this.
std::span<const Runtime> runtimes();
// What find_runtime knows: "onnxruntime" and "coppice" are those of this CPU.
std::span<const char* const> runtime_names();
// Null for a name that isn't one.
const Runtime* find_runtime(const std::string& name);
// What is deployed to where nothing is said: ONNX Runtime on this CPU.
const Runtime& usual_runtime();
// Whether this CPU computes in the runtime's blocks, so that a time measured here is one of it: one
// with AVX-512 computes in wider ones than AVX2 has.
bool runs_here(const Runtime& runtime);

}  // namespace coppice
