// Any bytes as a model: read, infer, trace, write. Only Error may come out.

#include <cstring>
#include <memory>

#include "core/error.h"
#include "groups/groups.h"
#include "onnx/onnx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coppice;
  std::shared_ptr<std::byte> bytes(new std::byte[size + 1], std::default_delete<std::byte[]>());
  std::memcpy(bytes.get(), data, size);
  try {
    const Graph graph = parse_onnx({bytes, size});
    onnx_bytes(graph);
    find_groups(graph, {.explain = Explain::pins});
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) __builtin_trap();
  }
  return 0;
}
