// onnx_check FILE...: what ONNX's own checker says of models, with full shape inference and types
// checked, as onnx.checker.check_model(path, full_check=True) does. Prints "ok" or one line of
// complaint for each file, in order.
//
// A program of its own: libonnx and Coppice both define ONNX's messages, which must not meet.
#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>

namespace {

void check(const std::string& path) {
  onnx::checker::check_model(path);
  std::ifstream file(path, std::ios::binary);
  onnx::ModelProto model;
  if (!model.ParseFromIstream(&file)) throw std::runtime_error("can't be parsed");
  for (const bool propagate : {false, true}) {
    onnx::ModelProto inferred = model;
    onnx::shape_inference::InferShapes(
        inferred, onnx::OpSchemaRegistry::Instance(),
        {/*check_type=*/true, /*strict_mode=*/1, /*data_prop=*/propagate});
  }
}

std::string verdict_on(const std::string& path) {
  try {
    check(path);
    return "ok";
  } catch (const std::exception& error) {
    std::string reason = error.what();
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    return reason;
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) std::puts(verdict_on(argv[i]).c_str());
}
