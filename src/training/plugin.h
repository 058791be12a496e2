// What `coppice` and libcoppice_train.so must agree on. They are built together and share C++
// types, so a library of another build is refused by this text instead of being misread: it holds
// the compiler's version and digits of the headers of all that they exchange
// (cmake/contract.cmake).
#pragma once

#include <filesystem>

namespace coppice {

// A macro, so that the digits, which change with every such header, stand in two files alone.
#define COPPICE_TRAINER_INTERFACE "coppice trainer " COPPICE_TRAINER_CONTRACT ", " __VERSION__
inline constexpr char kTrainerInterfaceFunction[] = "coppice_train_interface";
inline constexpr char kMakeTrainerFunction[] = "coppice_make_trainer";
inline constexpr char kMakeAgentFunction[] = "coppice_make_agent";
inline constexpr char kTrainerLibrary[] = "libcoppice_train.so";

// Opens the library, for good: LibTorch leaves threads and static state behind. Throws Error::usage
// where it can't be opened or is of another build.
void* open_trainer_library(const std::filesystem::path& path);

}  // namespace coppice
