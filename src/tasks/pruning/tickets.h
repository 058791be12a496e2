// Nets on the way, as files in the folder that kTickets names.
#pragma once

#include <functional>
#include <string>

#include "graph/graph.h"
#include "options/settings.h"
#include "tasks/parts/judge.h"
#include "tasks/parts/output_path.h"

namespace coppice {

// As MethodInput has it.
using Deliver = std::function<void(const std::string& name, const Graph& graph)>;

// Writes each net as NAME.onnx, with its preprocessing; null where no folder is asked for. `places`
// are what else is read and written, and `judge` is by what the nets are trained: null for none.
// Throws Error::input where the folder can't be made; what is returned throws as Places does.
Deliver deliver_to(const Settings& settings, const Places& places, const Judge* judge);

}  // namespace coppice
