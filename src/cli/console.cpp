// See console.h.
#include "cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "report/format.h"

namespace coppice {
namespace {

bool is_terminal(int descriptor) {
  const char* terminal = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && terminal && std::string_view(terminal) != "dumb";
}

bool colour_wanted() {
  const char* refused = std::getenv("NO_COLOR");
  return !refused || !*refused;
}

}  // namespace

size_t terminal_columns(int descriptor) {
  if (const char* told = std::getenv("COLUMNS")) {
    const long columns = std::strtol(told, nullptr, 10);
    if (columns > 0) return static_cast<size_t>(columns);
  }
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

Console::Console(Results results, Remarks remarks)
    : results_(results),
      remarks_(remarks),
      live_(is_terminal(STDERR_FILENO) && remarks == Remarks::shown),
      colour_(colour_wanted() && is_terminal(STDOUT_FILENO)),
      columns_(terminal_columns(STDOUT_FILENO)) {}

void Console::print(const std::string& text) const {
  if (results_ == Results::text) std::fputs(text.c_str(), stdout);
}

void Console::print_result(const Json& json) const {
  if (results_ == Results::json) std::printf("%s\n", dumped(json, 2).c_str());
}

void Console::remark(const std::string& text) const {
  if (remarks_ == Remarks::shown) std::fprintf(stderr, "%s\n", printable(text).c_str());
}

void Console::warn(const std::string& text) const {
  std::fprintf(stderr, "coppice: warning: %s\n", printable(text).c_str());
}

}  // namespace coppice
