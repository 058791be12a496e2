// See write_zoo.h.
#include "tasks/write_zoo.h"

#include "core/files.h"
#include "onnx/onnx.h"
#include "tasks/parts/output_path.h"
#include "zoo/zoo.h"

namespace coppice {

int64_t write_zoo(const ZooRequest& request) {
  const Graph graph = build_zoo_model(request.name, request.common.seed);
  Places places(request.common);
  AtomicFile file(places.writes("-o", request.output, ".onnx"));
  write_onnx(graph, file, places.taken());
  file.commit();
  return static_cast<int64_t>(onnx_bytes(graph));
}

}  // namespace coppice
