// NumPy's npz format: a zip archive of npy files (npy.h), each named by its array with ".npy"
// behind it, as numpy.savez_compressed writes it.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/tensor.h"

namespace coppice {

// numpy.load gives an array back for each, by its name. The same arrays give the same bytes: no
// time is written. Throws Error::input naming the file where it can't be written. Requires types
// that npy files hold.
void write_npz(const std::map<std::string, Tensor>& arrays, const std::filesystem::path& path);

// The arrays of an archive. Throws Error::input, naming the file and the array, for what isn't one,
// for a name that is there twice, and for one that unpacks to more than its bytes justify.
std::map<std::string, Tensor> read_npz(const std::filesystem::path& path);

}  // namespace coppice
