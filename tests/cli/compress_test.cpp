// The container as a user meets it: packed, read as a model by every command, unpacked to the bit,
// and refused whole when it is damaged.
#include <gmock/gmock.h>

#include "cli/program.h"
#include "core/files.h"
#include "onnx/onnx.h"
#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using nlohmann::json;
using testing::HasSubstr;

bool can_train() {
  return std::filesystem::exists(std::filesystem::path(COPPICE_PROGRAM).parent_path() /
                                 "libcoppice_train.so");
}

class Compressed : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(coppice({"zoo", "lenet300-100", "-o", model}).code, 0);
    ASSERT_EQ(coppice({"prune", model, "-o", sparse, "--method", "magnitude", "--sparsity", "0.9",
                       "--latency", "off"})
                  .code,
              0);
    const Ran ran = coppice({"compress", sparse, "-o", packed, "--bits", "5", "--json"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    result = ran.json();
  }

  TempDir dir;
  const std::string model = dir / "model.onnx", sparse = dir / "sparse.onnx",
                    packed = dir / "sparse.coppice", back = dir / "back.onnx";
  json result;
};

TEST_F(Compressed, the_report_adds_up_to_the_file) {
  const auto size = static_cast<int64_t>(std::filesystem::file_size(packed));
  EXPECT_EQ(result["bytes_after"], size);
  EXPECT_EQ(result["bytes_before"], std::filesystem::file_size(sparse));
  EXPECT_GT(result["ratio"], 25);
  int64_t bytes = result["graph_bytes"];
  for (const json& tensor : result["tensors"]) {
    bytes += tensor["bytes"].get<int64_t>();
    if (tensor["name"] != "fc1.weight") continue;
    EXPECT_EQ(tensor["nonzeros"], 23520);
    EXPECT_LE(tensor["distinct"], 31);
    EXPECT_LE(tensor["bits"], 5);
    EXPECT_LT(tensor["paper_pqh_bits"], tensor["paper_pq_bits"]);
    EXPECT_LT(8 * tensor["bytes"].get<double>(), tensor["paper_pqh_bits"]);
  }
  EXPECT_NEAR(bytes, size, 32);  // and the header
}

TEST_F(Compressed, comes_back_to_the_bit_and_reads_as_a_model) {
  ASSERT_EQ(coppice({"decompress", packed, "-o", back}).code, 0);
  EXPECT_EQ(coppice({"verify", packed, back, "--json"}).json()["equal"], true);
  ASSERT_EQ(coppice({"compress", back, "-o", dir / "again.coppice"}).code, 0);
  EXPECT_EQ(sha256_of_file(packed), sha256_of_file(dir / "again.coppice"));
  ASSERT_EQ(coppice({"compress", model, "-o", dir / "dense.coppice"}).code, 0);
  ASSERT_EQ(coppice({"decompress", dir / "dense.coppice", "-o", dir / "dense.onnx"}).code, 0);
  EXPECT_EQ(sha256_of_file(model), sha256_of_file(dir / "dense.onnx"));
  EXPECT_EQ(coppice({"inspect", packed, "--json"}).json()["nonzeros"],
            coppice({"inspect", back, "--json"}).json()["nonzeros"]);
}

TEST(Decompressed, a_file_that_another_tool_wrote_comes_back_byte_by_byte) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  const TempDir dir;
  for (const char* name : {"wild/mnist_cntk.onnx"}) {
    const std::string model = *data / "models" / name;
    ASSERT_EQ(coppice({"compress", model, "-o", dir / "m.coppice"}).code, 0);
    ASSERT_EQ(coppice({"decompress", dir / "m.coppice", "-o", dir / "m.onnx"}).code, 0);
    EXPECT_EQ(sha256_of_file(dir / "m.onnx"), sha256_of_file(model)) << name;
    ASSERT_EQ(coppice({"compress", dir / "m.coppice", "-o", dir / "n.coppice"}).code, 0);
    EXPECT_EQ(sha256_of_file(dir / "m.coppice"), sha256_of_file(dir / "n.coppice"));
  }
}

TEST(Decompressed, weights_that_lay_beside_come_back_inside) {
  const TempDir dir;
  ASSERT_EQ(coppice({"zoo", "lenet5", "-o", dir / "net.onnx"}).code, 0);
  Graph graph = read_onnx(dir / "net.onnx");
  graph.foreign.storage = Foreign::Storage::beside;
  write_onnx(graph, dir / "beside.onnx");
  const Ran ran = coppice({"compress", dir / "beside.onnx", "-o", dir / "b.coppice"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("one file with all of them inside"));
  ASSERT_EQ(coppice({"decompress", dir / "b.coppice", "-o", dir / "b.onnx"}).code, 0);
  EXPECT_EQ(sha256_of_file(dir / "b.onnx"), sha256_of_file(dir / "net.onnx"));
}

TEST_F(Compressed, huffman_is_the_papers_and_larger) {
  const Ran ran = coppice({"compress", sparse, "-o", dir / "h.coppice", "--bits", "5", "--coder",
                           "huffman", "--index-bits", "4", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_GT(ran.json()["bytes_after"], result["bytes_after"]);
  EXPECT_EQ(ran.json()["tensors"][0]["index_bits"], 4);
}

TEST_F(Compressed, what_is_damaged_is_refused_and_nothing_written) {
  std::string bytes = read_text(packed);
  write_text(dir / "cut.coppice", bytes.substr(0, bytes.size() / 2));
  EXPECT_TRUE(fails(coppice({"decompress", dir / "cut.coppice", "-o", back}), 3, "tensor 1 of"));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] + 1);
  write_text(dir / "bad.coppice", bytes);
  EXPECT_TRUE(fails(coppice({"decompress", dir / "bad.coppice", "-o", back}), 3, "checksum"));
  EXPECT_TRUE(fails(coppice({"inspect", dir / "bad.coppice"}), 3, "bad.coppice"));
  EXPECT_TRUE(fails(coppice({"decompress", sparse, "-o", back}), 3, "no .coppice file"));
  EXPECT_FALSE(std::filesystem::exists(back));
}

TEST_F(Compressed, options_that_say_nothing_are_refused) {
  const std::string out = dir / "out.coppice";
  const auto with = [&](Arguments more) {
    Arguments all = {"compress", sparse, "-o", out};
    all.insert(all.end(), more.begin(), more.end());
    return coppice(all);
  };
  EXPECT_TRUE(fails(with({"--data", "digits"}), 2, "--bits"));
  EXPECT_TRUE(fails(with({"--init", "forgy"}), 2, "--bits"));
  EXPECT_TRUE(fails(with({"--bits", "5", "--epochs", "2"}), 2, "--data"));
  for (const char* bits : {"0", "17", "conv", "conv=5,dense=3", "conv=5,", "=3", "fc1=0"}) {
    EXPECT_TRUE(fails(with({"--bits", bits}), 2, "--bits")) << bits;
  }
  EXPECT_TRUE(fails(with({"--keep", "fc1"}), 2, "--keep"));
  EXPECT_TRUE(fails(with({"--share-lr", "0.1"}), 2, "--share-lr"));
  EXPECT_TRUE(fails(with({"--bits", "5", "--share-lr", "0.1"}), 2, "--share-lr"));
  const auto tuned_with = [&](const std::string& option, const std::string& value) {
    return with({"--bits", "5", "--data", "digits", option, value});
  };
  // Also where it is given as it would be by default: it isn't what would be done.
  for (const auto& [option, value] : std::map<std::string, std::string>{{"--lr", "0.1"},
                                                                        {"--optimizer", "sgd"},
                                                                        {"--momentum", "0.9"},
                                                                        {"--weight-decay", "0"},
                                                                        {"--zeros", "keep"}}) {
    EXPECT_TRUE(fails(tuned_with(option, value), 2, option + " has no meaning here"));
  }
  EXPECT_TRUE(fails(tuned_with("--share-optimizer", "sgd"), 2, "needs --share-lr"));
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(Compressed, layers_have_bits_of_their_own_or_are_kept) {
  const Ran ran = coppice({"compress", sparse, "-o", dir / "own.coppice", "--bits",
                           "fc=5,^x{0,2}fc2=3", "--keep", "fc3", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const json& tensor : ran.json()["tensors"]) {
    if (tensor["name"] == "fc1.weight") {
      EXPECT_EQ(tensor["distinct"], 31);
    }
    if (tensor["name"] == "fc2.weight") {
      EXPECT_EQ(tensor["distinct"], 7);
    }
    if (tensor["name"] == "fc3.weight") {
      EXPECT_EQ(tensor["distinct"], 100);
    }
  }
}

TEST(DeepCompressionCommand, prunes_shares_and_packs_a_trained_net) {
  if (!can_train()) GTEST_SKIP() << "built without training";
  const TempDir dir;
  const std::string dense = dir / "dense.onnx", sparse = dir / "sparse.onnx";
  const Arguments how = {"--data", "digits", "--seed", "1", "--threads", "1", "--json"};
  const auto with = [&](Arguments first) {
    first.insert(first.end(), how.begin(), how.end());
    return coppice(first);
  };
  ASSERT_EQ(with({"train", "zoo:lenet300-100", "-o", dense, "--epochs", "3"}).code, 0);
  const Ran pruned =
      with({"prune", dense, "-o", sparse, "--method", "deep-compression", "--sparsity", "0.9",
            "--rounds", "2", "--epochs", "2", "--bits", "5", "--latency", "off"});
  ASSERT_EQ(pruned.code, 0) << pruned.err;
  const json found = pruned.json();
  EXPECT_GE(found["after"]["sparsity"], 0.8999);
  EXPECT_GT(found["after"]["top1"], found["before"]["top1"].get<double>() - 0.05);
  EXPECT_EQ(found["training"]["history"].size(), 6u);
  const Ran packed = coppice({"compress", sparse, "-o", dir / "sparse.coppice", "--json"});
  EXPECT_GT(packed.json()["ratio"], 30);
  for (const json& tensor : packed.json()["tensors"]) {
    EXPECT_TRUE(tensor["elements"] < 1000 || tensor["distinct"] <= 31) << tensor;
  }
  // Tuning alone keeps the zeros.
  const Ran tuned =
      with({"compress", sparse, "-o", dir / "tuned.coppice", "--bits", "3", "--epochs", "1"});
  ASSERT_EQ(tuned.code, 0) << tuned.err;
  EXPECT_EQ(tuned.json()["tensors"][0]["nonzeros"], packed.json()["tensors"][0]["nonzeros"]);
  EXPECT_LE(tuned.json()["tensors"][0]["distinct"], 7);
  EXPECT_GT(tuned.json()["top1_after"], tuned.json()["top1_before"].get<double>() - 0.02);
  EXPECT_EQ(tuned.json()["denser"], false);
  // Every stage says what it was trained by.
  const json stages = found["training"]["stages"];
  ASSERT_EQ(stages.size(), 6u) << stages;
  EXPECT_EQ(stages[1]["optimizer"], "sgd") << stages;
  EXPECT_EQ(stages[5]["stage"], "tuning centroids");
  EXPECT_EQ(stages[5]["optimizer"], "adam");
  EXPECT_EQ(stages[5]["learning_rate"], 3e-4);
  EXPECT_EQ(found["training"]["dropouts"], 0);
  EXPECT_THAT(pruned.err, HasSubstr("no Dropout"));
  // And is trained by what it was told to.
  const auto tuned_by = [&](const Arguments& steps) {
    Arguments all = {"compress", sparse, "-o", dir / "by.coppice", "--bits", "3"};
    all.insert(all.end(), steps.begin(), steps.end());
    const Ran ran = with(all);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return sha256_of_file(dir / "by.coppice");
  };
  const std::string usual = sha256_of_file(dir / "tuned.coppice");
  EXPECT_EQ(tuned_by({"--share-lr", "0.0003"}), usual);
  EXPECT_NE(tuned_by({"--share-lr", "0.003"}), usual);
  EXPECT_NE(tuned_by({"--share-optimizer", "sgd", "--share-lr", "1e-6"}), usual);
}

TEST(DeepCompressionCommand, refuses_what_makes_no_sense) {
  const TempDir dir;
  const std::string out = dir / "out.onnx";
  const auto with = [&](Arguments more) {
    Arguments all = {"prune",    "zoo:lenet5",       "-o",           out,
                     "--method", "deep-compression", "--preprocess", "mnist"};
    all.insert(all.end(), more.begin(), more.end());
    return coppice(all);
  };
  EXPECT_TRUE(fails(with({}), 2, "--epochs"));
  const Arguments trained = {"--data", "digits", "--epochs", "1", "--quiet"};
  const auto trained_with = [&](Arguments more) {
    more.insert(more.end(), trained.begin(), trained.end());
    return with(more);
  };
  EXPECT_TRUE(fails(trained_with({"--keep-macs", "0.5"}), 2, "--keep-macs is for"));
  EXPECT_TRUE(fails(trained_with({"--density", "fc1"}), 2, "--density"));
  EXPECT_TRUE(
      fails(coppice({"prune", "zoo:lenet5", "-o", out, "--rounds", "3"}), 2, "deep-compression"));
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace coppice
