// y = x op s, with s one number a channel (and, if need be, a picture), on layouts blocked by
// channels. Private to `steps`.
//
// oneDNN 2.6 leaves most of these to a plain loop over single elements: a constant by channel on
// 20 x 28 x 28 takes 1210 us there and 7 us here (AVX2, one thread).
#pragma once

#include "runtime/steps/steps.h"

namespace coppice::runtime {

// Whether `second` is one number a channel for an output of shape `out`, or one constant for all.
bool is_channelwise(const Lowering& lowering, ValueId second, const Shape& out);

// Whether the step was added; false where the layout or the layer's post-ops don't allow it.
// Requires: is_channelwise; x has the output's shape.
bool lower_channelwise(Lowering& lowering, const Layer& layer, ValueId x, ValueId second,
                       dnnl::algorithm function);

}  // namespace coppice::runtime
