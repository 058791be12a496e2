// See common.h.
#include "tasks/parts/common.h"

#include "tasks/parts/watcher.h"

namespace coppice {

Model load_model(const std::string& name, const CommonRequest& common, Watcher& watcher) {
  Model model = load_model(name, common.seed, common.input_shapes);
  if (!model.newer.empty()) watcher.warn(model.newer);
  if (!model.assumed.empty()) {
    watcher.remark(model.assumed + "; --input-shape says otherwise");
  }
  return model;
}

Request request_of_shapes(const InputShapes& shapes) {
  Request request;
  for (const auto& [name, shape] : shapes) {
    request.emplace_back("--input-shape", name + "=" + to_string(shape));
  }
  return request;
}

CommonRequest with_run_folder(CommonRequest common, const std::string& output) {
  if (common.run_folder.empty()) common.run_folder = default_run_folder(output);
  return common;
}

std::string default_run_folder(const std::string& output) {
  std::filesystem::path path = output;
  if (path.extension() == ".onnx") path.replace_extension();
  return path.string() + ".run";
}

}  // namespace coppice
