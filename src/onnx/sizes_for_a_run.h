// A size that a file leaves open, and that was said for this run alone: it stands in the declared
// shape beside its symbol. The symbol is what is written again.
#pragma once

namespace coppice {

inline constexpr char kUnnamedSize[] = "?";  // the symbol where the file has none

}  // namespace coppice
