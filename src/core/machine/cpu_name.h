// What a processor is called.
#pragma once

#include <string>

namespace coppice {

// The processor's name as the system gives it; "unknown" where it doesn't.
std::string cpu_name();

}  // namespace coppice
