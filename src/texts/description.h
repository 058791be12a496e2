// What is in a model, as tables for people.
#pragma once

#include <string>

#include "model/description.h"
#include "model/norms.h"
#include "texts/style.h"

namespace coppice {

std::string text_of(const ModelDescription& found, const Model& model, const Style& style);
std::string text_of(const NodeDescription& found, const Style& style);
std::string text_of(const NormsDescription& found);

}  // namespace coppice
