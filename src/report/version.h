// The version of coppice, as CMakeLists.txt has it.
#pragma once

namespace coppice {

const char* version();

}  // namespace coppice
