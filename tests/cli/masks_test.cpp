// Unstructured pruning end to end: zeros, masks in files, and replaying them.
#include <gmock/gmock.h>

#include "cli/program.h"
#include "core/files.h"
#include "onnx/onnx.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Masked : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(coppice({"zoo", "lenet5", "-o", model}).code, 0);
    const Ran ran = coppice({"prune", model, "-o", sparse, "--method", "magnitude", "--sparsity",
                             "0.9", "--latency", "off", "--json"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    result = ran.json();
  }

  std::string message_of_apply() const {
    const Ran ran = coppice({"apply", plan, model, "-o", dir / "again.onnx"});
    EXPECT_EQ(ran.code, 3);
    EXPECT_FALSE(std::filesystem::exists(dir / "again.onnx"));
    return ran.err;
  }

  TempDir dir;
  const std::string model = dir / "model.onnx", sparse = dir / "sparse.onnx",
                    plan = dir / "sparse.plan.json";
  json result;
};

TEST_F(Masked, the_result_has_zeros_in_the_same_shapes) {
  EXPECT_EQ(names_in(dir.path()), (std::set<std::string>{"model.onnx", "sparse.onnx",
                                                         "sparse.plan.json", "sparse.plan.masks"}));
  EXPECT_EQ(result["verified"], true);
  EXPECT_EQ(result["method"], "magnitude");
  for (const char* same : {"parameters", "macs", "weights"}) {
    EXPECT_EQ(result["before"][same], result["after"][same]) << same;
  }
  EXPECT_EQ(result["before"]["sparsity"], 0);
  EXPECT_NEAR(result["after"]["sparsity"], 0.9, 1e-3);
  int64_t nonzeros = 0;
  const json masks = json::parse(read_text(plan))["masks"];
  ASSERT_EQ(masks.size(), 4u);
  for (const json& mask : masks) {
    nonzeros += mask["nonzeros"].get<int64_t>();
    EXPECT_TRUE(std::filesystem::exists(dir / mask["file"].get<std::string>())) << mask;
  }
  EXPECT_EQ(nonzeros, result["after"]["nonzeros"]);
  ASSERT_EQ(result["layers"].size(), 4u);
  for (const json& layer : result["layers"]) {
    nonzeros -= layer["nonzeros"].get<int64_t>();
    EXPECT_NEAR(layer["density"], 0.1, 0.01) << layer;
  }
  EXPECT_EQ(nonzeros, 0);
  EXPECT_EQ(names_in(dir / "sparse.plan.masks").size(), 4u + 1) << "and all in one";
}

TEST_F(Masked, the_plan_replays_to_the_same_bytes_and_verify_says_so) {
  const Ran again = coppice({"apply", plan, model, "-o", dir / "again.onnx", "--json"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.json()["verified"], true);
  EXPECT_EQ(again.json()["after"]["nonzeros"], result["after"]["nonzeros"]);
  EXPECT_EQ(sha256_of_file(dir / "again.onnx"), sha256_of_file(sparse));
  const Ran proved = coppice({"verify", model, sparse, "--plan", plan, "--json"});
  ASSERT_EQ(proved.code, 0) << proved.err;
  EXPECT_EQ(proved.json()["same_weights"], true);
  std::filesystem::create_directory(dir / "links");
  std::filesystem::create_symlink(plan, dir / "links" / "link.json");
  EXPECT_EQ(coppice({"apply", dir / "links" / "link.json", model, "-o", dir / "o.onnx"}).code, 0)
      << "masks lie beside the plan, not beside a link to it";
}

TEST_F(Masked, the_masks_hold_for_the_same_net_with_other_weights) {
  const Ran ran =
      coppice({"apply", plan, "zoo:lenet5", "--seed", "5", "-o", dir / "again.onnx", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.json()["same_model"], false);
  EXPECT_EQ(ran.json()["after"]["nonzeros"], result["after"]["nonzeros"]);
}

TEST_F(Masked, inspect_counts_the_zeros) {
  const Ran ran = coppice({"inspect", sparse, "--json"});
  EXPECT_EQ(ran.json()["weights"], result["after"]["weights"]);
  EXPECT_EQ(ran.json()["nonzeros"], result["after"]["nonzeros"]);
  EXPECT_THAT(coppice({"inspect", sparse}).out, HasSubstr("weights are zero"));
  EXPECT_THAT(coppice({"inspect", model}).out, testing::Not(HasSubstr("weights are zero")));
}

TEST_F(Masked, the_command_it_prints_does_the_same_again) {
  const std::string before = sha256_of_file(sparse);
  std::string command = result["command"];
  ASSERT_THAT(command, HasSubstr("--method magnitude --sparsity 0.9"));
  command.replace(0, std::string("coppice").size(), COPPICE_PROGRAM);
  std::filesystem::remove(sparse);
  ASSERT_EQ(std::system((command + " >/dev/null").c_str()), 0);
  EXPECT_EQ(sha256_of_file(sparse), before);
}

TEST_F(Masked, masks_of_an_earlier_plan_are_replaced_and_other_files_are_not) {
  const Arguments again = {"prune",     model,        "-o",      sparse,      "--method",
                           "magnitude", "--sparsity", "0.5",     "--latency", "off",
                           "--keep",    "conv",       "--scope", "global"};
  ASSERT_EQ(coppice(again).code, 0);
  EXPECT_EQ(names_in(dir / "sparse.plan.masks").size(), 2u + 1);
  EXPECT_EQ(coppice({"apply", plan, model, "-o", dir / "o.onnx"}).code, 0);
  write_text(dir / "sparse.plan.masks" / "notes.txt", "mine");
  const std::string before = sha256_of_file(sparse);
  EXPECT_TRUE(fails(coppice(again), 3, "it holds 'notes.txt', expected masks alone"));
  EXPECT_EQ(sha256_of_file(sparse), before);
  EXPECT_EQ(names_in(dir / "sparse.plan.masks").size(), 3u + 1);
}

// A run that ends between the two leaves masks in their place and no plan, but its copy in there.
TEST_F(Masked, masks_without_their_plan_are_no_reason_to_refuse) {
  std::filesystem::rename(plan, dir / "sparse.plan.masks/plan.json");
  const Arguments again = {"prune",     model,        "-o",  sparse,      "--method",
                           "magnitude", "--sparsity", "0.9", "--latency", "off"};
  const Ran ran = coppice(again);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(names_in(dir / "sparse.plan.masks").size(), 4u + 1) << "and all in one";
  EXPECT_EQ(coppice({"apply", plan, model, "-o", dir / "o.onnx"}).code, 0);
}

TEST_F(Masked, masks_that_are_gone_or_were_changed_are_refused) {
  json text = json::parse(read_text(plan));
  const std::string file = text["masks"][0]["file"], tensor = text["masks"][0]["tensor"];
  const int64_t nonzeros = text["masks"][0]["nonzeros"];
  std::string bytes = read_text(dir / file);
  bytes.back() ^= 1;
  write_text(dir / file, bytes);
  const int64_t found = nonzeros + (bytes.back() != 0 ? 1 : -1);
  EXPECT_THAT(message_of_apply(), HasSubstr("mask of tensor '" + tensor + "'"));
  EXPECT_THAT(message_of_apply(),
              HasSubstr("it has " + std::to_string(found) + " nonzeros, the plan says " +
                        std::to_string(nonzeros)));
  bytes.pop_back();
  write_text(dir / file, bytes);
  EXPECT_THAT(message_of_apply(), HasSubstr(file));
  std::filesystem::remove(dir / file);
  EXPECT_THAT(message_of_apply(), HasSubstr("can't read"));
}

TEST_F(Masked, masks_of_other_tensors_and_shapes_are_refused) {
  json text = json::parse(read_text(plan));
  text["masks"][0]["tensor"] = "gone";
  write_text(plan, text.dump());
  EXPECT_THAT(message_of_apply(), HasSubstr("mask of tensor 'gone': the model has no such tensor"));
  text["masks"][0]["tensor"] = "conv1.bias";
  write_text(plan, text.dump());
  EXPECT_THAT(message_of_apply(), HasSubstr("mask of tensor 'conv1.bias': the mask is for"));
}

TEST(Magnitude, its_text_says_that_zeros_alone_bring_nothing) {
  const TempDir dir;
  const Ran ran = coppice({"prune", "zoo:lenet5", "-o", dir / "s.onnx", "--method", "magnitude",
                           "--sparsity", "0.8", "--plan", dir / "mine.json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const char* part :
       {"nonzero weights", "density", "sparsity", "80.00", "until the model is compressed",
        "checked: masked weights are 0", "latency", "mine.json"}) {
    EXPECT_THAT(ran.out, HasSubstr(part));
  }
  EXPECT_EQ(names_in(dir.path()), (std::set<std::string>{"mine.json", "mine.masks", "s.onnx"}));
}

TEST(Magnitude, a_full_disk_or_a_place_that_is_taken_leaves_nothing) {
  const TempDir dir;
  const Arguments arguments = {"prune",     "zoo:lenet5", "-o",  dir / "s.onnx", "--method",
                               "magnitude", "--sparsity", "0.8", "--latency",    "off"};
  EXPECT_TRUE(fails(coppice_under("ulimit -f 30", arguments), 3, "can't write"));
  EXPECT_EQ(names_in(dir.path()), std::set<std::string>{});
  write_text(dir / "s.plan.masks", "a file");
  EXPECT_TRUE(fails(coppice(arguments), 3, "it is a file, expected a folder of masks"));
  EXPECT_EQ(names_in(dir.path()), std::set<std::string>{"s.plan.masks"});
}

TEST(SparserAlready, is_refused_with_both_shares_and_nothing_written) {
  const TempDir dir;
  const std::string sparse = dir / "sparse.onnx", again = dir / "again.onnx";
  ASSERT_EQ(coppice({"prune", "zoo:lenet5", "-o", sparse, "--method", "magnitude", "--sparsity",
                     "0.92", "--latency", "off"})
                .code,
            0);
  const auto to = [&](const std::string& sparsity) {
    return coppice({"prune", sparse, "-o", again, "--method", "magnitude", "--sparsity", sparsity,
                    "--plan", dir / "again.json", "--latency", "off"});
  };
  const Ran refused = to("0.5");
  EXPECT_TRUE(fails(refused, 4, "share of 0.92 already"));
  EXPECT_THAT(refused.err, HasSubstr("a sparsity of 0.5 would"));
  EXPECT_FALSE(std::filesystem::exists(again));
  EXPECT_EQ(to("0.95").code, 0);
}

}  // namespace
}  // namespace coppice
