// JSON with its keys in the order in which they were put in, and dumped so that no name in a model,
// whatever bytes it has, can break it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace coppice {

using Json = nlohmann::ordered_json;

inline std::string dumped(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace coppice
