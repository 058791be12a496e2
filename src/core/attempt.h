// Asking by trying: where the only way to learn whether something fits is to do it.
#pragma once

#include <optional>
#include <utility>

#include "core/error.h"

namespace coppice {

// What `body` returns, or nothing where it throws an Error of the kind that means "no" here. Any
// other error passes through, above all an internal one: our own bug is never an answer.
template <typename Body>
auto attempt(ErrorKind no, Body&& body) -> std::optional<decltype(body())> {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& error) {
    if (error.kind() != no) throw;
    return std::nullopt;
  }
}

}  // namespace coppice
