#include "core/error.h"

#include <cstring>

namespace coppice {

void fail_input(const std::string& message) { throw Error(ErrorKind::input, message); }
void fail_usage(const std::string& message) { throw Error(ErrorKind::usage, message); }
void fail_target(const std::string& message) { throw Error(ErrorKind::target, message); }

void check_failed(const char* file, int line, const char* condition, const std::string& message) {
  const char* source = std::strstr(file, "src/");
  throw Error(ErrorKind::internal, std::string(source ? source : file) + ":" +
                                       std::to_string(line) + ": " + message + " (" + condition +
                                       " does not hold); this is a bug in coppice");
}

}  // namespace coppice
