// See format.h.
#include "report/format.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace coppice {
namespace {

std::string formatted(const char* format, int digits, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, digits, value);
  return text.data();
}

std::string fixed(double value, int decimals) { return formatted("%.*f", decimals, value); }

// Three digits that count: 1.82, 41.0, 102.
std::string three_digits(double value) {
  const double size = std::fabs(value);
  return fixed(value, size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

std::string with_prefix(double value, const char* unit) {
  constexpr std::array<const char*, 6> kPrefixes = {"", "k", "M", "G", "T", "P"};
  size_t prefix = 0;
  while (std::fabs(value) >= 999.5 && prefix + 1 < kPrefixes.size()) {
    value /= 1000;
    ++prefix;
  }
  const std::string suffix = std::string(kPrefixes[prefix]) + unit;
  const std::string number = prefix == 0 ? fixed(value, 0) : three_digits(value);
  return suffix.empty() ? number : number + " " + suffix;
}

}  // namespace

std::string with_separators(int64_t count) {
  std::string text = std::to_string(count);
  const size_t first = text[0] == '-' ? 1 : 0;
  for (size_t at = text.size(); at > first + 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string short_count(double count) { return with_prefix(count, ""); }
std::string short_bytes(double bytes) { return with_prefix(bytes, "B"); }
std::string percentage(double share) { return fixed(100 * share, 2) + " %"; }
std::string times(double factor) { return three_digits(factor) + "x"; }
std::string significant(double value, int digits) { return formatted("%.*g", digits, value); }

std::string milliseconds(double ms) {
  return (ms < 0.1 ? significant(ms, 3) : three_digits(ms)) + " ms";
}

std::string duration(double seconds) {
  if (seconds < 60) return (seconds < 10 ? fixed(seconds, 2) : fixed(seconds, 1)) + " s";
  const int64_t whole = std::llround(seconds);
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

std::string printable(std::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '?';
  }
  return clean;
}

std::string shell_quoted(std::string_view argument) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(argument);
  }
  std::string quoted = "'";
  for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace coppice
