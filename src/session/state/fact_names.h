// Names of facts (state.h) that one module puts on record and another reads.
#pragma once

namespace coppice {

// Of a stage that cuts and recovers: the held-out top-1 of the same cut without recovering.
inline constexpr char kUnrecoveredTop1[] = "unrecovered_top1";

}  // namespace coppice
