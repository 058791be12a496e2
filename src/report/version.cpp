#include "report/version.h"

namespace coppice {

const char* version() { return COPPICE_VERSION; }

}  // namespace coppice
