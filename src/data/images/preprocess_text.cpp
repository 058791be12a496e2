// Preprocessing from and to text: see preprocess.h for the grammar. Floats are printed in the
// shortest form that reads back to the same bits, which makes to_string canonical and the round
// trip exact.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "data/images/preprocess.h"

namespace coppice {
namespace {

constexpr int64_t kMostSide = 8192;
constexpr char kAllowed[] =
    "imagenet, cifar10, mnist or none, then mean=, std=, scale=, order=rgb|bgr, layout=nchw|nhwc, "
    "resize=, crop=";

struct Preset {
  std::string_view name, text;
};

constexpr Preset kPresets[] = {
    {"imagenet", "scale=1/255,mean=.485,.456,.406,std=.229,.224,.225"},
    {"cifar10", "scale=1/255,mean=.4914,.4822,.4465,std=.2470,.2435,.2616"},
    {"mnist", "scale=1/255,mean=.1307,std=.3081"},
    {"none", "scale=1"},
};

struct Token {
  std::string_view whole, key, value;
};

[[noreturn]] void fail_token(std::string_view token, const std::string& expected) {
  fail_usage("preprocessing: '" + std::string(token) + "', expected " + expected);
}

template <typename T>
bool parse_whole(std::string_view text, T& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}

float parse_number(std::string_view text, std::string_view token) {
  // Without a fraction straight to float: by way of double the last bit could differ.
  float number = 0;
  const size_t slash = text.find('/');
  bool good = slash == std::string_view::npos && parse_whole(text, number);
  if (slash != std::string_view::npos) {
    double above = 0, below = 0;
    good = parse_whole(text.substr(0, slash), above) && parse_whole(text.substr(slash + 1), below);
    number = static_cast<float>(above / below);
  }
  if (!good || !std::isfinite(number)) {
    fail_token(token, "a number such as 0.5 or 1/255, or one of " + std::string(kAllowed));
  }
  return number;
}

int64_t parse_side(const Token& token) {
  int64_t side = 0;
  if (!parse_whole(token.value, side) || side < 0 || side > kMostSide) {
    fail_token(token.whole, "pixels from 0 (none) to " + std::to_string(kMostSide));
  }
  return side;
}

void append_mean(Preprocessing& into, std::string_view text, std::string_view token) {
  into.mean.push_back(parse_number(text, token));
}

void append_deviation(Preprocessing& into, std::string_view text, std::string_view token) {
  into.deviation.push_back(parse_number(text, token));
  if (into.deviation.back() <= 0) fail_token(token, "a standard deviation above 0");
}

using Append = void (*)(Preprocessing&, std::string_view, std::string_view);

// Sets what the key says; for the list keys returns how to append what follows.
Append apply_key(const Token& token, Preprocessing& into) {
  if (token.key == "mean") {
    into.mean.clear();
    append_mean(into, token.value, token.whole);
    return append_mean;
  }
  if (token.key == "std") {
    into.deviation.clear();
    append_deviation(into, token.value, token.whole);
    return append_deviation;
  }
  if (token.key == "scale") {
    into.scale = parse_number(token.value, token.whole);
    if (into.scale == 0) fail_token(token.whole, "a scale other than 0");
  } else if (token.key == "order") {
    if (token.value != "rgb" && token.value != "bgr") fail_token(token.whole, "order=rgb|bgr");
    into.order = token.value == "rgb" ? Preprocessing::Order::rgb : Preprocessing::Order::bgr;
  } else if (token.key == "layout") {
    if (token.value != "nchw" && token.value != "nhwc") {
      fail_token(token.whole, "layout=nchw|nhwc");
    }
    into.layout = token.value == "nchw" ? Preprocessing::Layout::nchw : Preprocessing::Layout::nhwc;
  } else if (token.key == "resize") {
    into.resize = parse_side(token);
  } else if (token.key == "crop") {
    into.crop = parse_side(token);
  } else {
    fail_token(token.whole, "one of " + std::string(kAllowed));
  }
  return nullptr;
}

std::string print(float number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

std::string print_list(const char* key, const std::vector<float>& numbers) {
  std::string text;
  for (const float number : numbers) text += (text.empty() ? key : ",") + print(number);
  return text;
}

}  // namespace

Preprocessing parse_preprocessing(std::string_view text) {
  Preprocessing result;
  Append append = nullptr;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view whole = text.substr(begin, end - begin);
    const size_t equals = whole.find('=');
    if (equals != std::string_view::npos) {
      append = apply_key({whole, whole.substr(0, equals), whole.substr(equals + 1)}, result);
    } else if (append != nullptr) {
      append(result, whole, whole);
    } else {
      const Preset* preset = begin == 0 ? std::begin(kPresets) : std::end(kPresets);
      while (preset != std::end(kPresets) && preset->name != whole) ++preset;
      if (preset == std::end(kPresets)) fail_token(whole, "one of " + std::string(kAllowed));
      result = parse_preprocessing(preset->text);
    }
    begin = end + 1;
  }
  return result;
}

std::string to_string(const Preprocessing& preprocessing) {
  std::string text = "scale=" + print(preprocessing.scale);
  for (const std::string& list :
       {print_list("mean=", preprocessing.mean), print_list("std=", preprocessing.deviation)}) {
    if (!list.empty()) text += "," + list;
  }
  text += preprocessing.order == Preprocessing::Order::rgb ? ",order=rgb" : ",order=bgr";
  text += preprocessing.layout == Preprocessing::Layout::nchw ? ",layout=nchw" : ",layout=nhwc";
  if (preprocessing.resize > 0) text += ",resize=" + std::to_string(preprocessing.resize);
  if (preprocessing.crop > 0) text += ",crop=" + std::to_string(preprocessing.crop);
  return text;
}

}  // namespace coppice
