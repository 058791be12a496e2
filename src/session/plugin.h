// What `coppice` and libcoppice_train.so must agree on. They are built together and share C++
// types, so a library of another version is refused by this text instead of being misread.
#pragma once

namespace coppice {

inline constexpr char kTrainerInterface[] = "coppice trainer 1, " __VERSION__;
inline constexpr char kTrainerInterfaceFunction[] = "coppice_train_interface";
inline constexpr char kMakeTrainerFunction[] = "coppice_make_trainer";
inline constexpr char kTrainerLibrary[] = "libcoppice_train.so";

}  // namespace coppice
