// Real data sets and models, which are too large for the repository. Tests that need them skip
// themselves where they are absent:
//
//   const auto data = shared_data();
//   if (!data) GTEST_SKIP() << kNoSharedData;
#pragma once

#include <filesystem>
#include <optional>

namespace coppice {

inline constexpr char kNoSharedData[] = "no shared data; set COPPICE_DATA to the folder";

// The folder that COPPICE_DATA names, else shared/data beside the source tree if it is there.
// Throws std::runtime_error when COPPICE_DATA names no folder: a typing error must not skip tests.
std::optional<std::filesystem::path> shared_data();

}  // namespace coppice
