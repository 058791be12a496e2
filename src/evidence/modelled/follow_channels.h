// What the model itself says of its channels, value by value, without data.
//
// BatchNormalization tells the mean and the variance of every channel behind it; the filters before
// it tell how channels correlate: two that look for the same thing fire together. From there on
// values are followed: through activations on a grid, through sums as if their terms were
// independent, through layers as sums of correlated inputs.
//
// Source: the normal assumption and BatchNormalization's parameters as moments: Nagel, van Baalen,
// Blankevoort, Welling, "Data-Free Quantization through Weight Equalization and Bias Correction",
// ICCV 2019, arXiv:1906.04721, Sec. 4.2.
// Differs: any activation, numerically, where the paper has Relu's formula; covariances between
// channels, sums, concats and pooling; layers without BatchNormalization from their inputs'
// moments; what the paper has for a whole image is corrected for the zeros around it.
#pragma once

#include <functional>

#include "evidence/modelled/channel_model.h"
#include "graph/infer.h"

namespace coppice {

// Called for every node in the graph's order, with what is known of its first input (null:
// nothing). Models are dropped once their last reader was visited.
using VisitChannels = std::function<void(const Node& node, const ChannelModel* input)>;

// Quadratic in channels for memory, cubic for time. Nothing is known of graph inputs, of very wide
// layers (kWidest), and behind operators without a rule (rules.h).
void follow_channels(const Graph& graph, const Inferred& inferred, const VisitChannels& visit);

}  // namespace coppice
