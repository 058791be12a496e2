// Where output goes. Results go to standard output: as text for people, or with --json as exactly
// one JSON object in its place. Progress, remarks and warnings go to standard error. Colour and
// moving bars appear only on a terminal, and never with NO_COLOR set (no-color.org).
#pragma once

#include <string>

#include "report/json.h"
#include "texts/style.h"

namespace coppice {

// Columns of the terminal behind a descriptor: what COLUMNS says, else the terminal; 0 for neither.
size_t terminal_columns(int descriptor);

class Console {
 public:
  enum class Results { text, json };
  enum class Remarks { shown, hidden };  // --quiet hides them, but no warnings

  Console(Results results, Remarks remarks);

  void print(const std::string& text) const;   // part of the result, for people; not with --json
  void print_result(const Json& json) const;   // the whole result; nothing without --json
  void remark(const std::string& text) const;  // what is good to know
  void warn(const std::string& text) const;    // what isn't as the user may think: always shown

  Style style() const {
    return {
        .bold = colour_, .colour = colour_, .hints = remarks_ == Remarks::shown, .width = columns_};
  }
  Remarks remarks() const { return remarks_; }
  bool live() const { return live_; }  // standard error is a terminal that bars may move on

 private:
  Results results_;
  Remarks remarks_;
  bool live_ = false, colour_ = false;
  size_t columns_ = 0;
};

}  // namespace coppice
