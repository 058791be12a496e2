// What criteria share that look at how units respond to images.
#pragma once

#include <initializer_list>
#include <vector>

#include "prune/scores/criteria.h"

namespace coppice {

// How layers become comparable: each unit's score over the Euclidean norm of its layer's scores, or
// as they are. Source: Molchanov et al., ICLR 2017, arXiv:1611.06440, section 2.2.
enum class LayerNorm { none, l2 };
extern const ChoiceOption<LayerNorm> kLayerNorm;

// Requests of these for each value that the group's units are seen at.
std::vector<EvidenceRequest> of_activations(const GroupView& view,
                                            std::initializer_list<Reduction> reductions);
// One row for each place that the reduction speaks of (image, batch, or the only one): by unit, the
// mean over its channels.
std::vector<std::vector<double>> rows_by_unit(const GroupView& view, const Activation& activation,
                                              Reduction reduction);

// Each over its Euclidean norm; one of zeros stays as it is.
std::vector<std::vector<double>> over_their_norms(std::vector<std::vector<double>> members);
// One score a unit from members that are comparable by the options; empty where there are none.
std::vector<float> over_layers(const GroupView& view, std::vector<std::vector<double>> members);

}  // namespace coppice
