// Numbers as people read them. Everything that the command prints for people goes through here, so
// that one quantity looks the same everywhere; JSON gets the plain numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coppice {

std::string with_separators(int64_t count);         // 1,234,567
std::string short_count(double count);              // 950, 41.0 M, 1.82 G
std::string short_bytes(double bytes);              // 102.5 MB, in powers of 1000
std::string percentage(double share);               // 0.9173 -> 91.73 %
std::string times(double factor);                   // 1.97x
std::string milliseconds(double ms);                // 3.42 ms, 0.0312 ms
std::string duration(double seconds);               // 0.42 s, 3 min 20 s, 2 h 5 min
std::string significant(double value, int digits);  // 3.1e-07

// `text` on one line: control characters, which a hostile model could carry in its names to move a
// terminal's cursor, become '?'.
std::string printable(std::string_view text);

// An argument as a POSIX shell takes it, quoted where that is needed.
std::string shell_quoted(std::string_view argument);

}  // namespace coppice
