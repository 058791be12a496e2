#include "core/error.h"

#include <cstring>

namespace coppice {

Hint option_hint(std::string name, std::string value, std::string does) {
  return {Hint::Of::option, std::move(name), std::move(value), std::move(does)};
}

Hint subject_hint(std::string name) { return {Hint::Of::subject, std::move(name)}; }

Hint task_hint(std::string name, std::string does) {
  return {Hint::Of::task, std::move(name), {}, std::move(does)};
}

void fail_input(const std::string& message, Hints hints) {
  throw Error(ErrorKind::input, message, std::move(hints));
}

void fail_usage(const std::string& message, Hints hints) {
  throw Error(ErrorKind::usage, message, std::move(hints));
}

void fail_target(const std::string& message, Hints hints) {
  throw Error(ErrorKind::target, message, std::move(hints));
}

void check_failed(const char* file, int line, const char* condition, const std::string& message) {
  const char* source = std::strstr(file, "src/");
  throw Error(ErrorKind::internal, std::string(source ? source : file) + ":" +
                                       std::to_string(line) + ": " + message + " (" + condition +
                                       " does not hold); this is a bug in coppice");
}

}  // namespace coppice
