// Reading numbers and saying what was expected of them.
#include "options/option.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "core/error.h"
#include "options/comma_list.h"

namespace coppice {
namespace {

template <typename T>
std::optional<T> number_of(const std::string& text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::string shortest(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.12g", value);
  return text.data();
}

}  // namespace

void Option::refuse(const std::string& text) const {
  fail_usage(flag() + " " + text + ": expected " + expected());
}

bool NumberRange::holds(double value) const {
  return ends == Ends::open ? value > low && value < high : value >= low && value <= high;
}

std::string NumberRange::text() const {
  const bool open = ends == Ends::open;
  const std::string from = std::isinf(low) ? "" : (open ? "above " : "from ") + shortest(low);
  if (std::isinf(high)) return from.empty() || open ? from : from + " up";
  const std::string to = (open ? "below " : from.empty() ? "up to " : "to ") + shortest(high);
  return from.empty() ? to : from + (open ? " and " : " ") + to;
}

std::string NumberOption::expected() const {
  const std::string range = range_.text();
  return range.empty() ? "a number" : "a number " + range;
}

double NumberOption::read(const std::string& text) const {
  const std::optional<double> value = number_of<double>(text);
  if (value && range_.holds(*value)) return *value;
  const char* why = nullptr;
  if (value == range_.low) why = range_.why_not_low;
  if (value == range_.high) why = range_.why_not_high;
  if (why != nullptr) fail_usage(flag() + " " + text + ": " + why);
  const auto percent = text.ends_with('%') ? number_of<double>(text.substr(0, text.size() - 1))
                                           : std::optional<double>();
  if (percent && range_.holds(*percent / 100)) {
    fail_usage(flag() + " " + text + ": expected " + expected() + "; " + text + " is " +
               shortest(*percent / 100));
  }
  refuse(text.empty() ? "''" : text);
}

std::string NumberOption::normal(const std::string& text) const { return shortest(read(text)); }
std::string NumberOption::usual() const { return usual_ ? shortest(*usual_) : ""; }

std::string CountOption::expected() const {
  return "a whole number from " + std::to_string(low_) + " to " + std::to_string(high_);
}

int64_t CountOption::read(const std::string& text) const {
  const std::optional<int64_t> value = number_of<int64_t>(text);
  if (value && *value >= low_ && *value <= high_) return *value;
  refuse(text.empty() ? "''" : text);
}

std::string CountOption::normal(const std::string& text) const {
  return std::to_string(read(text));
}
std::string CountOption::usual() const { return usual_ ? std::to_string(*usual_) : ""; }

std::string FlagOption::normal(const std::string& text) const {
  if (text == "true" || text == "1") return "true";
  if (text == "false" || text == "0") return "false";
  refuse("'" + text + "'");
}

std::string listed(const std::vector<std::string>& names, const char* last) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    text += (i == 0 ? "" : i + 1 < names.size() ? ", " : last) + names[i];
  }
  return text;
}

std::optional<std::vector<double>> rising_shares(const std::string& text) {
  std::vector<double> shares;
  for (const std::string& part : between_commas(text)) {
    const auto share = number_of<double>(part);
    if (!share || !(*share > (shares.empty() ? 0 : shares.back()) && *share < 1)) {
      return std::nullopt;
    }
    shares.push_back(*share);
  }
  return shares;
}

std::optional<std::string> any_text(const std::string& text) { return text; }

}  // namespace coppice
