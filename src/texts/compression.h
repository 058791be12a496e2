// What packing a model brought, tensor by tensor, as a table for people.
#pragma once

#include <string>

#include "tasks/forms/compress.h"

namespace coppice {

std::string text_of(const CompressReport& report);

}  // namespace coppice
