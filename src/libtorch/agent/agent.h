// See training/agent.h.
#pragma once

#include <memory>

#include "training/agent.h"

namespace coppice::train {

std::unique_ptr<Agent> make_agent(const AgentOptions& options);

}  // namespace coppice::train
