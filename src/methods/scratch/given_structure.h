// A structure that somebody else found: what is trained is its shape, or the places of its zeros,
// and none of its weights.
#pragma once

#include <optional>
#include <string>

#include "methods/method.h"
#include "options/settings.h"

namespace coppice {

// --structure FILE
extern const TextOption<std::string> kStructure;

// What the file holds: a plan of the model that is pruned, with its masks, or another model for the
// same images.
struct GivenStructure {
  std::string file;
  std::optional<Plan> plan = {};
  std::optional<Graph> graph = {};
};

// What a plan's masks are beside the model that it makes: cut as their weights are.
Masks masks_after_cut(const Plan& plan);

}  // namespace coppice
