// Augmentation from and to text: see augment.h for the grammar. Only what differs from no
// augmentation is printed, the area in the shortest form that reads back to the same bits.
#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "data/images/augment.h"

namespace coppice {
namespace {

constexpr int64_t kMostPad = 8192;

[[noreturn]] void fail_token(std::string_view token, const std::string& expected) {
  fail_usage("augmentation: '" + std::string(token) + "', expected " + expected);
}

template <typename T>
bool parse_whole(std::string_view text, T& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}

void apply_token(std::string_view token, Augmentation& into) {
  if (token == "flip") {
    into.flip = Augmentation::Flip::on;
  } else if (token.starts_with("pad=")) {
    if (!parse_whole(token.substr(4), into.pad) || into.pad < 0 || into.pad > kMostPad) {
      fail_token(token, "pixels from 0 (none) to " + std::to_string(kMostPad));
    }
  } else if (token.starts_with("area=")) {
    // The negation holds for NaN too.
    if (!parse_whole(token.substr(5), into.least_area) ||
        !(into.least_area > 0 && into.least_area <= 1)) {
      fail_token(token, "a share of the area above 0, and 1 (none) at most");
    }
  } else {
    fail_token(token, "none, or some of pad=N, flip and area=X with commas between them");
  }
}

std::string print(double number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

}  // namespace

Augmentation parse_augmentation(std::string_view text) {
  Augmentation result;
  if (text == "none") return result;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    apply_token(text.substr(begin, end - begin), result);
    begin = end + 1;
  }
  return result;
}

std::string to_string(const Augmentation& augmentation) {
  std::string text;
  const auto append = [&](const std::string& token) { text += (text.empty() ? "" : ",") + token; };
  if (augmentation.pad > 0) append("pad=" + std::to_string(augmentation.pad));
  if (augmentation.least_area < 1) append("area=" + print(augmentation.least_area));
  if (augmentation.flip == Augmentation::Flip::on) append("flip");
  return text.empty() ? "none" : text;
}

}  // namespace coppice
