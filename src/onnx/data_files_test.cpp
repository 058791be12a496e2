// Which files a model's data lie in, wherever in the model they are named, and where new data may
// go.
#include "onnx/data_files.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/files.h"
#include "core/paths/same_place.h"
#include "onnx.pb.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using Paths = std::vector<std::filesystem::path>;

void lie_in(const std::string& file, onnx::TensorProto& tensor) {
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] :
       {std::pair<std::string, std::string>{"offset", "0"}, {"location", file}, {"length", "4"}}) {
    auto* entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
}

void write_model(const std::filesystem::path& path, const Paths& files) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  for (const auto& file : files) lie_in(file, *model.mutable_graph()->add_initializer());
  write_text(path, model.SerializeAsString());
}

TEST(DataFiles, are_found_in_initialisers_constants_subgraphs_and_functions) {
  const TempDir dir;
  onnx::ModelProto model;
  auto& graph = *model.mutable_graph();
  lie_in("a", *graph.add_initializer());
  lie_in("a", *graph.add_initializer());
  lie_in("sub/b", *graph.add_node()->add_attribute()->mutable_t());
  lie_in("c", *graph.add_node()->add_attribute()->mutable_g()->add_initializer());
  lie_in("d", *graph.add_sparse_initializer()->mutable_values());
  lie_in("e", *model.add_functions()->add_node()->add_attribute()->add_tensors());
  write_text(dir / "net.onnx", model.SerializeAsString());
  Paths found = data_files(dir / "net.onnx");
  std::ranges::sort(found);
  EXPECT_EQ(found, (Paths{dir / "a", dir / "c", dir / "d", dir / "e", dir / "sub/b"}));
}

TEST(DataFiles, of_a_link_lie_beside_it_or_else_beside_what_it_leads_to) {
  const TempDir dir;
  std::filesystem::create_directory(dir / "real");
  write_model(dir / "real/net.onnx", {"w"});
  std::filesystem::create_symlink(dir / "real/net.onnx", dir / "link.onnx");
  EXPECT_EQ(data_files(dir / "real/net.onnx"), Paths{dir / "real/w"});
  EXPECT_TRUE(same_place(data_files(dir / "link.onnx").front(), dir / "real/w"));
  write_text(dir / "w", "1234");
  EXPECT_EQ(data_files(dir / "link.onnx"), Paths{dir / "w"});
  std::filesystem::create_symlink(dir / "gone.onnx", dir / "broken.onnx");
  EXPECT_EQ(data_files(dir / "broken.onnx"), Paths{});
  EXPECT_EQ(data_folder(dir / "broken.onnx"), dir.path());
}

TEST(DataFiles, of_what_is_no_model_are_none) {
  const TempDir dir;
  write_text(dir / "text", "location is not a field\xff\xff\xff");
  EXPECT_EQ(data_files(dir / "text"), Paths{});
  EXPECT_EQ(data_files(dir / "missing"), Paths{});
  EXPECT_EQ(data_files(dir.path()), Paths{});
}

TEST(DataFiles, new_data_take_a_free_name_and_the_old_ones_go_that_nobody_else_has) {
  const TempDir dir;
  const auto suffix = [&](const Paths& taken = {}) { return data_suffix(dir / "net.onnx", taken); };
  const auto replaced = [&](const Paths& taken = {}) {
    return replaced_data(dir / "net.onnx", taken);
  };
  EXPECT_EQ(suffix(), ".data");
  EXPECT_EQ(suffix({dir / "./net.onnx.data"}), ".1.data");
  write_text(dir / "net.onnx.data", "somebody's");
  EXPECT_EQ(suffix(), ".1.data");
  EXPECT_EQ(replaced(), Paths{});
  write_model(dir / "net.onnx", {"net.onnx.data", "weights.bin"});
  EXPECT_EQ(suffix(), ".1.data") << "the model is whole until the new one is in its place";
  EXPECT_EQ(replaced(), Paths{dir / "net.onnx.data"}) << "others have names of the user's";
  EXPECT_EQ(replaced({dir / "net.onnx.data"}), Paths{});
  EXPECT_EQ(owner_of(dir / "net.onnx.data", dir / "net.onnx"), std::filesystem::path());
  write_model(dir / "copy.onnx", {"net.onnx.data"});
  EXPECT_EQ(owner_of(dir / "net.onnx.data", dir / "net.onnx"), dir / "copy.onnx");
  EXPECT_EQ(replaced(), Paths{});
  std::filesystem::create_symlink(dir / "nowhere", dir / "net.onnx.1.data");
  EXPECT_EQ(suffix(), ".2.data") << "a broken link is somebody's, too";
}

}  // namespace
}  // namespace coppice
