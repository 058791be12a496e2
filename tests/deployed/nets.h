// Small nets of the families that the zoo lacks, as exporters write them: what runtimes must load
// once it is cut. Opset 13, an open batch, weights drawn for their fans.
#pragma once

#include "graph/graph.h"

namespace coppice {

// ShuffleNetV2's units: a Split in halves, depthwise convolutions, a Concat, a shuffle by Reshape
// and Transpose. Images of 32x32.
Graph shufflenet_shaped();
// A U-Net of two levels: pools, transposed convolutions, skips that are concatenated.
Graph unet_shaped();
// A detector as YOLOv8 is one: SiLU, blocks that use the pieces of a Split again, pools in a row, a
// neck that goes up, and boxes and classes of two grids in one output. Images of 64x64.
Graph yolo_shaped();
// A transformer on patches of images: attention of four heads as MatMuls, LayerNormalization and
// GELU in their parts, the mean of all patches classified.
Graph vit_shaped();

}  // namespace coppice
