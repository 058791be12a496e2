// OpenCV's dnn module as a judge, as Debian installs it: what is written for it must load there and
// give the same numbers. It lives in a process of Debian's Python (tests/opencv/judge.py):
//
//   auto judge = OpenCv::start();
//   if (!judge) GTEST_SKIP() << kNoOpenCv;
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "support/onnxruntime.h"

namespace coppice {

inline constexpr char kNoOpenCv[] = "no OpenCV; './dev setup --peers' installs python3-opencv";

class OpenCv {
 public:
  // Nothing when Python or the module isn't installed. Throws std::runtime_error when they are
  // there and fail.
  static std::optional<OpenCv> start();
  ~OpenCv();
  OpenCv(OpenCv&&) noexcept;
  OpenCv& operator=(OpenCv&&) noexcept;

  // The graph's outputs, as floats. Throws std::runtime_error with OpenCV's own message, and for
  // inputs that aren't floats.
  std::vector<NamedTensor> run(const std::filesystem::path& model,
                               const std::vector<NamedTensor>& inputs);

 private:
  struct Process;
  explicit OpenCv(std::unique_ptr<Process> process);
  std::unique_ptr<Process> process_;
};

}  // namespace coppice
