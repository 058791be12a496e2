// Errors, and the split between whose fault they are.
//
// The user or a file is wrong     throw Error(kind, "where: found versus expected; what to do")
// Coppice itself is wrong         COPPICE_CHECK(condition, "what should have held")
// "No" is an ordinary answer      std::optional or an enum, never an exception
//
// Messages are one line, lower case, without a full stop, with names in single quotes. They don't
// say how an option is given: what may help comes as hints, and whoever speaks to the user words
// them. Library code never prints, exits or swallows an exception; only `cli` maps a kind to an
// exit code.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace coppice {

enum class ErrorKind {
  internal,     // our bug; exit code 1
  usage,        // the command line or an option value is wrong; exit code 2
  input,        // a file (model, data, plan) is wrong or can't be read or written; exit code 3
  target,       // what was asked for can't be reached on this model; exit code 4
  interrupted,  // the user stopped it; exit code 130
};

// Something that may help: an option by its declared name (options/option.h) or a task, and what it
// does.
struct Hint {
  enum class Of {
    option,   // that helps, by `value` if there is one; without `does` it is to be tried
    subject,  // an option: the message goes on from its name
    task,     // "inspect"
  };

  Of of = Of::option;
  std::string name, value = {}, does = {};
};
using Hints = std::vector<Hint>;

// "may leave a layer alone", say, of the option `keep`.
Hint option_hint(std::string name, std::string value, std::string does = {});
Hint subject_hint(std::string name);
Hint task_hint(std::string name, std::string does);

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message, Hints hints = {})
      : std::runtime_error(message), kind_(kind), hints_(std::move(hints)) {}
  ErrorKind kind() const { return kind_; }
  const Hints& hints() const { return hints_; }

 private:
  ErrorKind kind_;
  Hints hints_;
};

// Shorthands for the kinds that library code throws most.
[[noreturn]] void fail_input(const std::string& message, Hints hints = {});
[[noreturn]] void fail_usage(const std::string& message, Hints hints = {});
[[noreturn]] void fail_target(const std::string& message, Hints hints = {});

// Runs `body`; an Error that leaves it gets "context: " put in front of its message, and `more`
// behind its hints.
template <typename Body>
auto within(const std::string& context, Body&& body, const Hints& more = {}) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& error) {
    Hints hints = error.hints();
    hints.insert(hints.end(), more.begin(), more.end());
    throw Error(error.kind(), context + ": " + error.what(), std::move(hints));
  }
}

[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const std::string& message);

}  // namespace coppice

// Our own invariants; kept in release builds. Never for what a user or a file can cause.
#define COPPICE_CHECK(condition, message)                                               \
  do {                                                                                  \
    if (!(condition)) ::coppice::check_failed(__FILE__, __LINE__, #condition, message); \
  } while (false)
