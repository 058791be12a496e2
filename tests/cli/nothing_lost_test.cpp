// No file is written over but the one that -o names and what belongs to it: neither inputs and the
// files that their weights lie in, nor other models' weights, other results' plans, or strangers.
#include <gmock/gmock.h>

#include <map>

#include "cli/program.h"
#include "core/files.h"
#include "onnx/onnx.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// first.onnx, whose weights lie in model.onnx.data.
class NothingLost : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(coppice({"zoo", "lenet5", "-o", dir / "inside.onnx"}).code, 0);
    write_beside("inside.onnx", "first.onnx");
    std::string bytes = read_text(full);
    for (size_t at; (at = bytes.find("first.onnx.data")) != std::string::npos;) {
      bytes.replace(at, weights.filename().string().size(), weights.filename().string());
    }
    write_text(full, bytes);
    std::filesystem::rename(dir / "first.onnx.data", weights);
    before = contents();
  }

  void write_beside(const std::string& from, const std::string& to) {
    Graph graph = read_onnx(dir / from);
    graph.foreign.storage = Foreign::Storage::beside;
    write_onnx(graph, dir / to);
  }

  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir.path())) {
      if (entry.is_regular_file()) found[entry.path()] = sha256_of_file(entry.path());
    }
    return found;
  }

  // What was there is as it was; with More::none nothing else is there.
  enum class More { allowed, none };
  void expect_untouched(More more) const {
    const auto now = contents();
    for (const auto& [path, sum] : before) {
      ASSERT_TRUE(now.contains(path)) << path << " is gone";
      EXPECT_EQ(now.at(path), sum) << path << " is another file now";
    }
    EXPECT_TRUE(more == More::allowed || now.size() == before.size());
  }

  void expect_refused(const Arguments& arguments, const std::string& part) const {
    EXPECT_TRUE(fails(coppice(arguments), 2, part));
    expect_untouched(More::none);
  }

  Arguments prune(const std::string& output, const Arguments& more = {}) const {
    Arguments arguments = {"prune", full, "-o", output, "--latency", "off"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  // `output` can be read, and its weights don't lie in the original's.
  void expect_whole(const std::string& output) const {
    EXPECT_EQ(coppice({"inspect", output}).code, 0);
    EXPECT_EQ(coppice({"verify", output, output}).code, 0);
  }

  TempDir dir;
  const std::string full = dir / "first.onnx", out = dir / "model.onnx";
  const std::filesystem::path weights = dir / "model.onnx.data";
  std::map<std::string, std::string> before;
};

TEST_F(NothingLost, prune_leaves_the_weights_of_the_original_that_have_the_results_name) {
  ASSERT_EQ(coppice(prune(out)).code, 0);
  expect_untouched(More::allowed);
  EXPECT_EQ(names_in(dir.path()),
            (std::set<std::string>{"first.onnx", "inside.onnx", "model.onnx", "model.onnx.1.data",
                                   "model.onnx.data", "model.plan.json"}));
  expect_whole(out);
  ASSERT_EQ(coppice(prune(out)).code, 0);
  EXPECT_EQ(names_in(dir.path()).size(), 6u) << "again is no reason for another file";
  expect_whole(out);
  expect_untouched(More::allowed);
}

TEST_F(NothingLost, apply_does_so_too) {
  ASSERT_EQ(coppice(prune(dir / "a.onnx", {"--plan", dir / "a.json"})).code, 0);
  before = contents();
  for (int time = 0; time < 2; ++time) {
    ASSERT_EQ(coppice({"apply", dir / "a.json", full, "-o", out}).code, 0);
    expect_untouched(More::allowed);
    EXPECT_EQ(contents().size(), before.size() + 2) << "the result and its weights";
  }
  expect_whole(out);
  EXPECT_EQ(coppice({"verify", out, dir / "a.onnx"}).code, 0);
}

TEST_F(NothingLost, train_does_so_too) {
  const Arguments train = {"train", full, "--data",   "digits", "--preprocess",  "scale=1/255",
                           "-o",    out,  "--epochs", "1",      "--from-scratch"};
  const Ran ran = coppice(train);
  ASSERT_EQ(ran.code, 0) << ran.err;
  expect_untouched(More::allowed);
  expect_whole(out);
}

TEST_F(NothingLost, weights_that_another_model_shares_stay) {
  ASSERT_EQ(coppice(prune(out)).code, 0);
  std::filesystem::copy_file(out, dir / "copy.onnx");
  before = contents();
  before.erase(out);
  before.erase(dir / "model.plan.json");  // this result's own
  ASSERT_EQ(coppice(prune(out, {"--keep-macs", "0.3"})).code, 0);
  expect_untouched(More::allowed);
  expect_whole(dir / "copy.onnx");
  EXPECT_TRUE(std::filesystem::exists(dir / "model.onnx.2.data"));
}

TEST_F(NothingLost, the_output_is_never_a_file_of_the_inputs_weights) {
  const TempDir elsewhere;
  std::filesystem::create_directory(dir / "folder");
  std::filesystem::create_hard_link(weights, dir / "folder" / "twin");
  std::filesystem::create_symlink(weights, dir / "folder" / "link");
  std::filesystem::create_directory_symlink(dir.path(), dir / "folder" / "up");
  before = contents();
  for (const std::string& output :
       std::vector<std::string>{weights, dir / "folder/../model.onnx.data", dir / "folder/twin",
                                dir / "folder/link", dir / "folder/up/model.onnx.data"}) {
    SCOPED_TRACE(output);
    expect_refused(prune(output), "is also an input");
    expect_refused(prune(dir / "o.onnx", {"--plan", output}), "is also an input");
    expect_refused({"compress", full, "-o", output}, "is also an input");
    expect_refused(
        {"train", full, "--data", "digits", "-o", output, "--run-dir", elsewhere / "run"},
        "is also an input");
  }
}

TEST_F(NothingLost, the_output_is_never_a_file_of_another_models_weights) {
  const std::string of_another = "holds weights of '" + full + "'";
  expect_refused({"zoo", "lenet5", "-o", weights}, of_another);
  expect_refused({"prune", "zoo:lenet5", "-o", weights}, of_another);
  expect_refused({"compress", "zoo:lenet5", "-o", weights}, of_another);
  ASSERT_EQ(coppice({"compress", "zoo:lenet5", "-o", dir / "net.coppice"}).code, 0);
  before = contents();
  expect_refused({"decompress", dir / "net.coppice", "-o", weights}, of_another);
  expect_refused({"decompress", dir / "net.coppice", "-o", dir / "net.coppice"},
                 "is also an input");
}

TEST_F(NothingLost, two_outputs_of_a_command_are_two_files) {
  std::filesystem::create_directory_symlink(dir.path(), dir / "here");
  for (const std::string& plan :
       std::vector<std::string>{out, dir / "./model.onnx", dir / "here/model.onnx"}) {
    expect_refused(prune(out, {"--plan", plan}), "is also an input or output");
  }
  const Arguments masks = {"--method", "magnitude", "--sparsity",
                           "0.5",      "--plan",    dir / "plan.json"};
  std::filesystem::create_directory(dir / "plan.masks");
  expect_refused(prune(dir / "plan.masks" / "model.onnx", masks), "the folder of masks");
}

TEST_F(NothingLost, an_output_is_no_file_of_the_run_folder) {
  for (const char* name : {"run.json", "metrics.jsonl", "checkpoint"}) {
    const Ran ran = coppice(prune(dir / "run" / name, {"--run-dir", dir / "run"}));
    EXPECT_TRUE(fails(ran, 2, "is also an input or output")) << name;
    const Ran plan =
        coppice(prune(dir / "o.onnx", {"--run-dir", dir / "run", "--plan", dir / "run" / name}));
    EXPECT_TRUE(fails(plan, 2, "is also an input or output")) << name;
  }
  expect_untouched(More::allowed);
}

TEST_F(NothingLost, a_file_of_the_checkpoints_name_that_is_none_stays_and_is_called_so) {
  std::filesystem::create_directory(dir / "mine");
  write_text(dir / "mine/checkpoint", "my own");
  Arguments train = {"train",       full, "--data", "digits",    "--preprocess",
                     "scale=1/255", "-o", out,      "--run-dir", dir / "mine"};
  for (const char* more : {"--quiet", "--resume"}) {
    train.emplace_back(more);
    EXPECT_TRUE(fails(coppice(train), 3, "its 'checkpoint' is none of coppice's")) << more;
  }
  EXPECT_EQ(read_text(dir / "mine/checkpoint"), "my own");
}

TEST_F(NothingLost, a_folder_with_records_of_others_is_no_run_folder) {
  std::filesystem::create_directory(dir / "theirs");
  write_text(dir / "theirs" / "metrics.jsonl", "{\"loss\": 1}\n");
  before = contents();
  EXPECT_TRUE(fails(coppice(prune(out, {"--run-dir", dir / "theirs"})), 3, "metrics.jsonl"));
  write_text(dir / "theirs" / "run.json", "{\"mine\": 1}\n");
  before = contents();
  EXPECT_TRUE(fails(coppice(prune(out, {"--run-dir", dir / "theirs"})), 3, "run.json"));
  expect_untouched(More::none);
}

TEST_F(NothingLost, each_result_has_its_plan_beside_it) {
  ASSERT_EQ(coppice(prune(dir / "half.onnx")).code, 0);
  before = contents();
  ASSERT_EQ(coppice(prune(dir / "third.onnx", {"--keep-macs", "0.3"})).code, 0);
  expect_untouched(More::allowed);
  const size_t files = names_in(dir.path()).size();
  ASSERT_EQ(coppice(prune(dir / "half.onnx", {"--keep-macs", "0.4"})).code, 0);
  EXPECT_EQ(names_in(dir.path()).size(), files) << "again is no reason for another file";
  for (const std::string name : {"half", "third"}) {
    const std::string plan = dir / (name + ".plan.json"), result = dir / (name + ".onnx");
    EXPECT_EQ(coppice({"verify", full, result, "--plan", plan}).code, 0) << name;
    const json told = json::parse(read_text(plan));
    EXPECT_EQ(told["output"], name + ".onnx");
    EXPECT_EQ(told["budget"], name == "half" ? "--keep-macs 0.4" : "--keep-macs 0.3");
    EXPECT_EQ(told["command"].get<std::string>().find("coppice prune"), 0u);
  }
}

TEST_F(NothingLost, what_is_no_plan_is_not_replaced_by_one) {
  write_text(dir / "model.plan.json", "{\"my\": \"holiday\"}");
  before = contents();
  EXPECT_TRUE(fails(coppice(prune(out)), 3, "it is no plan"));
  EXPECT_TRUE(fails(coppice(prune(out, {"--plan", dir / "inside.onnx"})), 2, "a .json file"));
  expect_untouched(More::none);
}

TEST_F(NothingLost, arrays_that_are_no_masks_of_the_plan_stay) {
  std::filesystem::create_directory(dir / "data.masks");
  write_text(dir / "data.masks" / "001-lung.npy", "a segmentation");
  before = contents();
  const Ran ran = coppice(
      prune(out, {"--method", "magnitude", "--sparsity", "0.5", "--plan", dir / "data.json"}));
  EXPECT_TRUE(fails(ran, 3, "it holds '001-lung.npy', expected masks alone"));
  expect_untouched(More::none);
}

TEST_F(NothingLost, apply_refuses_the_plan_and_its_masks_as_output) {
  ASSERT_EQ(coppice(prune(dir / "s.onnx",
                          {"--method", "magnitude", "--sparsity", "0.5", "--plan", dir / "s.json"}))
                .code,
            0);
  before = contents();
  const std::string mask =
      dir / json::parse(read_text(dir / "s.json"))["masks"][0]["file"].get<std::string>();
  expect_refused({"apply", dir / "s.json", full, "-o", dir / "s.json"}, "is also an input");
  expect_refused({"apply", dir / "s.json", full, "-o", mask}, "is also an input");
  expect_refused({"apply", dir / "s.json", full, "-o", weights}, "is also an input");
}

TEST_F(NothingLost, a_data_set_is_an_input) {
  write_text(dir / "x.npy", "images");
  write_text(dir / "y.npy", "labels");
  before = contents();
  const std::string data = "npy:" + (dir / "x.npy").string() + "," + (dir / "y.npy").string();
  for (const char* file : {"x.npy", "y.npy"}) {
    expect_refused(prune(dir / file, {"--data", data}), "is also an input");
  }
}

TEST_F(NothingLost, a_data_sets_folder_is_an_input_whatever_of_it_is_read) {
  const TempDir elsewhere;
  const auto folder = dir / "images";
  std::filesystem::create_directories(folder / "train" / "cat");
  for (const char* file : {"train-images-idx3-ubyte", "train/cat/1.jpg"}) {
    write_text(folder / file, "images");
  }
  write_text(dir / "elsewhere.png", "an image");
  std::filesystem::create_symlink(dir / "elsewhere.png", folder / "train/cat/2.png");
  std::filesystem::create_symlink(folder / "train/cat/1.jpg", dir / "link");
  before = contents();
  const std::string data = "images:" + folder.string();
  for (const std::string& output : std::vector<std::string>{
           folder / "train-images-idx3-ubyte", folder / "train/cat/1.jpg",
           folder / "train/cat/../cat/2.png", dir / "elsewhere.png", dir / "link"}) {
    SCOPED_TRACE(output);
    const std::string part = "would replace a file of the data in '" + folder.string();
    expect_refused(prune(output, {"--data", data}), part);
    expect_refused(prune(dir / "o.onnx", {"--data", data, "--plan", output}), part);
    const Arguments train = {"train", full,   "--data",    data,
                             "-o",    output, "--run-dir", elsewhere / "run"};
    const Arguments compress = {"compress", full, "--data", data,        "--bits",
                                "4",        "-o", output,   "--run-dir", elsewhere / "run"};
    expect_refused(train, part);
    expect_refused(compress, part);
  }
  write_text(folder / "earlier.onnx", "an earlier result");
  const Ran again = coppice(prune(folder / "earlier.onnx", {"--data", data}));
  EXPECT_EQ(again.err.find("would replace"), std::string::npos) << again.err;
}

TEST_F(NothingLost, the_file_of_options_is_an_input) {
  write_text(dir / "how.toml", "seed = 0\n");
  before = contents();
  const std::string config = dir / "how.toml";
  expect_refused(prune(config, {"--config", config}), "is also an input");
  expect_refused(prune(out, {"--config", config, "--plan", config}), "is also an input");
  expect_refused({"compress", full, "-o", config, "--config", config}, "is also an input");
  expect_refused({"zoo", "lenet5", "-o", config, "--config", config}, "is also an input");
}

TEST_F(NothingLost, a_link_leads_to_the_result_and_the_result_to_its_data) {
  const TempDir elsewhere;
  write_text(elsewhere / "real.onnx", "an earlier one");
  const std::string link = dir / "link.onnx", real = elsewhere / "real.onnx";
  std::filesystem::create_symlink(real, link);
  for (int time = 0; time < 2; ++time) {
    ASSERT_EQ(coppice(prune(link)).code, 0);
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    expect_untouched(More::allowed);
    EXPECT_EQ(names_in(elsewhere.path()).size(), 3u) << "the model, its data and its plan";
    expect_whole(link);
    expect_whole(real);
  }
  EXPECT_EQ(coppice({"verify", link, real}).code, 0);
  const json plan = json::parse(read_text(elsewhere / "real.plan.json"));
  EXPECT_EQ(plan["output"], "real.onnx");
  // What lies beside the link itself comes first, as other programs read it.
  std::filesystem::create_symlink(full, dir / "same.onnx");
  EXPECT_EQ(coppice({"verify", full, dir / "same.onnx"}).code, 0);
}

TEST_F(NothingLost, a_plan_that_is_named_may_not_be_another_results) {
  ASSERT_EQ(coppice(prune(dir / "half.onnx", {"--plan", dir / "p.json"})).code, 0);
  before = contents();
  EXPECT_TRUE(fails(coppice(prune(dir / "third.onnx", {"--plan", dir / "p.json"})), 3,
                    "it is the plan of another result, 'half.onnx'"));
  expect_untouched(More::none);
  EXPECT_EQ(coppice(prune(dir / "half.onnx", {"--plan", dir / "p.json"})).code, 0);
}

}  // namespace
}  // namespace coppice
