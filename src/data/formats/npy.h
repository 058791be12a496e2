// NumPy's npy format: "\x93NUMPY", version, the header's length, a Python dictionary as text
// ({'descr': '<f4', 'fortran_order': False, 'shape': (10, 3, 32, 32), }), the elements.
// Read are little-endian and one-byte numbers in C order, versions 1 to 3; written is version 1.
#pragma once

#include <string>

#include "core/files.h"
#include "core/tensor.h"

namespace coppice {

// The array in an npy file: a view of `file`, or a copy where its elements are not aligned.
// `where` names it in errors. Throws Error::input for a bad or truncated header, a dtype or order
// that is not read, and where the file's size and the header's shape disagree.
Tensor parse_npy(const Buffer& file, const std::string& where);

// Whether an npy file holds elements of this type: integers, bool, float16, float32 and float64.
bool npy_holds(DType dtype);

// What stands before the elements in a file of its own. Requires one of the types that are read.
std::string npy_header(const Tensor& tensor);

// What numpy.load gives back as an array of the same type and shape. Requires one of the types that
// are read.
void write_npy(const Tensor& tensor, AtomicFile& file);

}  // namespace coppice
