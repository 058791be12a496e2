// A model by its name: of the zoo, a file, or a file in a container.
#include "model/load.h"

#include <gtest/gtest.h>

#include "codec/container/codec.h"
#include "core/error.h"
#include "graph/infer.h"
#include "onnx/onnx.h"
#include "support/temp_dir.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

TEST(LoadModel, a_net_of_the_zoo_has_the_size_and_sum_of_the_file_that_it_would_be) {
  const TempDir dir;
  const std::string path = dir / "lenet.onnx";
  AtomicFile file(path);
  write_onnx(build_zoo_model("lenet5", 3), file, {});
  file.commit();
  const Model built = load_model("zoo:lenet5", 3), read = load_model(path, 0);
  EXPECT_TRUE(is_zoo_name("zoo:lenet5"));
  EXPECT_FALSE(is_zoo_name(path));
  EXPECT_EQ(built.bytes, read.bytes);
  EXPECT_EQ(model_sha256("zoo:lenet5", 3).get(), model_sha256(path, 0).get());
  EXPECT_NE(model_sha256("zoo:lenet5", 4).get(), model_sha256(path, 0).get());
  EXPECT_EQ(onnx_file_of(built).size, 0u) << "there is no file";
  EXPECT_EQ(static_cast<int64_t>(onnx_file_of(read).size), read.bytes);
}

TEST(LoadModel, a_container_is_the_model_that_it_holds) {
  const TempDir dir;
  const Graph graph = build_zoo_model("lenet5", 3);
  const std::string path = dir / "lenet.coppice";
  AtomicFile file(path);
  encode(graph, {}, [&](std::span<const std::byte> piece) { file.write(piece); });
  file.commit();
  const Model model = load_model(path, 0);
  EXPECT_EQ(model.graph.nodes.size(), graph.nodes.size());
  EXPECT_EQ(model.bytes, static_cast<int64_t>(std::filesystem::file_size(path)));
  EXPECT_EQ(onnx_file_of(model).size, onnx_bytes(graph)) << "unpacked";
}

TEST(LoadModel, what_is_no_model_is_refused_with_its_path) {
  const TempDir dir;
  const std::string path = dir / "none.onnx";
  write_text(path, "no model");
  try {
    load_model(path, 0);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
  }
  EXPECT_THROW(load_model("zoo:lenet6", 0), Error);
}

TEST(DescribeInputs, one_input_is_a_shape_and_several_are_named) {
  EXPECT_EQ(describe_inputs(build_zoo_model("lenet5", 0), {}), "1x1x28x28");
}

}  // namespace
}  // namespace coppice
