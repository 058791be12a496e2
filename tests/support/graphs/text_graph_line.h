// One line of a text graph, cut into tokens: words (names and numbers), strings with their quotes,
// and single signs; '#' begins a comment. Reading a token that isn't what is expected throws
// std::runtime_error with both.
#pragma once

#include <charconv>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

namespace coppice::text_graph {

[[noreturn]] inline void fail(const std::string& message) { throw std::runtime_error(message); }

template <typename T>
std::optional<T> number(const std::string& word) {
  T value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

class Line {
 public:
  explicit Line(const std::string& text) {
    static const std::regex token(R"("[^"]*"|#.*|[\w./:+?-]+|\S)");
    for (std::sregex_iterator i(text.begin(), text.end(), token), end; i != end; ++i) {
      if (i->str()[0] != '#') tokens_.push_back(i->str());
    }
  }

  bool at_end() const { return next_ == tokens_.size(); }
  std::string peek() const { return at_end() ? "the end of the line" : tokens_[next_]; }
  bool accept(const std::string& token) { return peek() == token && ++next_; }
  std::string take(const char* what, bool good) {
    if (at_end() || !good) fail(std::string("expected ") + what + ", found " + peek());
    return tokens_[next_++];
  }
  void expect(const char* token) { take(token, peek() == token); }
  std::string word(const char* what) {
    return take(what, std::string("\",=()[]{}").find(peek()[0]) == std::string::npos);
  }
  template <typename T>
  T value(const char* what) {
    const auto parsed = number<T>(peek());
    take(what, parsed.has_value());
    return *parsed;
  }
  template <typename Item>
  void list(const char* close, Item item) {
    if (accept(close)) return;
    do item();
    while (accept(","));
    expect(close);
  }

 private:
  std::vector<std::string> tokens_;
  size_t next_ = 0;
};

}  // namespace coppice::text_graph
