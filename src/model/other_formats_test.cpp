// Files of other frameworks are named with the way out, and ONNX is never taken for one.
#include "model/other_formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/files.h"
#include "model/load.h"
#include "onnx/onnx.h"
#include "support/temp_dir.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

std::string told(const std::string& bytes) {
  return other_format(std::as_bytes(std::span(bytes))).value_or("");
}

TEST(OtherFormats, are_named_with_the_way_to_onnx) {
  using testing::HasSubstr;
  EXPECT_THAT(told(std::string("PK\x03\x04 and more", 13)), HasSubstr("torch.onnx.export"));
  EXPECT_THAT(told("\x80\x02}q"), HasSubstr("pickle"));
  EXPECT_THAT(told("\x89HDF\r\n\x1a\nrest"), HasSubstr("tf2onnx"));
  EXPECT_THAT(told(std::string("\x1c\0\0\0TFL3", 8)), HasSubstr("TensorFlow Lite"));
  EXPECT_THAT(told(std::string("\x10\0\0\0ORTM", 8)), HasSubstr("ORT-format"));
  EXPECT_THAT(told(std::string("\x40\0\0\0\0\0\0\0{\"a\"", 12)), HasSubstr("safetensors"));
  EXPECT_THAT(told("{\"slices\": []}"), HasSubstr("plan"));
}

TEST(OtherFormats, anything_else_is_none_of_them) {
  for (const char* bytes : {"", "P", "\x08\x08\x12\x07pytorch"}) EXPECT_EQ(told(bytes), "");
}

TEST(OtherFormats, a_model_that_looks_like_one_is_read) {
  Graph graph = build_zoo_model("lenet300-100", 1);
  const TempDir dir;
  AtomicFile file(dir / "model.onnx");
  file.write(std::string("\x08\x08\x12\x04ORTM", 8));  // its producer's name
  serialise_onnx(graph, [&](std::span<const std::byte> piece) {
    file.write({reinterpret_cast<const char*>(piece.data()), piece.size()});
  });
  file.commit();
  EXPECT_EQ(load_model(dir / "model.onnx", 0).graph.nodes.size(), graph.nodes.size());
}

}  // namespace
}  // namespace coppice
