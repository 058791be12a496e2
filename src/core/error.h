// Errors, and the split between whose fault they are.
//
// The user or a file is wrong     throw Error(kind, "where: found versus expected; what to do")
// Coppice itself is wrong         COPPICE_CHECK(condition, "what should have held")
// "No" is an ordinary answer      std::optional or an enum, never an exception
//
// Messages are one line, lower case, without a full stop, with names in single quotes. Library code
// never prints, exits or swallows an exception; only `cli` maps a kind to an exit code.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace coppice {

enum class ErrorKind {
  internal,     // our bug; exit code 1
  usage,        // the command line or an option value is wrong; exit code 2
  input,        // a file (model, data, plan) is wrong or can't be read or written; exit code 3
  target,       // what was asked for can't be reached on this model; exit code 4
  interrupted,  // the user stopped it; exit code 130
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

// Shorthands for the kinds that library code throws most.
[[noreturn]] void fail_input(const std::string& message);
[[noreturn]] void fail_usage(const std::string& message);
[[noreturn]] void fail_target(const std::string& message);

// Runs `body`; an Error that leaves it gets "context: " put in front of its message.
template <typename Body>
auto within(const std::string& context, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& error) {
    throw Error(error.kind(), context + ": " + error.what());
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
