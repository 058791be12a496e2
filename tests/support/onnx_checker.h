// ONNX's own checker as a judge of what we write. It runs as a program (onnx_check.cpp).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace coppice {

// "ok", or what the checker complains of, for each model.
std::vector<std::string> check_models(const std::vector<std::filesystem::path>& models);

}  // namespace coppice
