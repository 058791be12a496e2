// The open functions of all data set formats, for the table in dataset.cpp alone. Each takes what
// follows the colon of a spec, reads the files of one split, and throws Error::input for what is
// missing or wrong.
#pragma once

#include <memory>
#include <string>

#include "data/dataset.h"

namespace coppice {

std::unique_ptr<Dataset> open_mnist(const std::string& folder, Split split);
std::unique_ptr<Dataset> open_fashion_mnist(const std::string& folder, Split split);
std::unique_ptr<Dataset> open_cifar10(const std::string& folder, Split split);
std::unique_ptr<Dataset> open_cifar100(const std::string& folder, Split split);
std::unique_ptr<Dataset> open_image_folder(const std::string& folder, Split split);
std::unique_ptr<Dataset> open_npy(const std::string& files, Split split);
std::unique_ptr<Dataset> open_digits(const std::string& nothing, Split split);

}  // namespace coppice
