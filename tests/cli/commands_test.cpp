// Every command doing what it is for, through its JSON and its text.
#include <gmock/gmock.h>

#include "cli/program.h"
#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json run_json(Arguments arguments) {
  arguments.push_back("--json");
  const Ran ran = coppice(arguments);
  EXPECT_EQ(ran.code, 0) << ran.err;
  return ran.json();
}

TEST(Inspect, has_the_fields_that_scripts_rely_on) {
  const json found = run_json({"inspect", "zoo:resnet20"});
  EXPECT_GT(found["parameters"], 260'000);
  EXPECT_GT(found["macs"], 40'000'000);
  EXPECT_GT(found["nodes"], 50);
  EXPECT_DOUBLE_EQ(found["prunable_macs_share"], 1);
  ASSERT_GE(found["groups"].size(), 10u);
  EXPECT_EQ(found["groups"][0]["units"], 16);
  EXPECT_TRUE(found["groups"][0]["slices"][0]["tensor"].is_string());
  EXPECT_EQ(found["groups"][0]["slices"][0]["axis"], 0);
  ASSERT_FALSE(found["pinned"].empty());
  for (const char* field : {"tensor", "axis", "reason", "path"}) {
    EXPECT_TRUE(found["pinned"][0].contains(field)) << field;
  }
  EXPECT_EQ(found["layers"][0]["op"], "Conv");
  EXPECT_EQ(run_json({"inspect", "zoo:resnet20", "--batch", "8"})["macs"],
            8 * found["macs"].get<int64_t>());
}

TEST(Inspect, says_the_same_to_people) {
  const Ran ran = coppice({"inspect", "zoo:resnet20"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  for (const char* part : {"Layers", "Groups", "Pinned", "MACs at batch 1", "conv1.weight"}) {
    EXPECT_THAT(ran.out, HasSubstr(part));
  }
}

TEST(Inspect, why_tells_what_a_layer_is_coupled_to_and_by_way_of_what) {
  const json layers = run_json({"inspect", "zoo:resnet20"})["layers"];
  const std::string first = layers[0]["name"], last = layers.back()["name"];
  const json found = run_json({"inspect", "zoo:resnet20", "--why", first});
  EXPECT_EQ(found["op"], "Conv");
  const json filters = found["axes"][0];
  EXPECT_EQ(filters["value"], "conv1.weight");
  EXPECT_EQ(filters["free"], 16);
  ASSERT_GT(filters["ties"].size(), 5u) << "the residual stage goes together";
  for (const json& tie : filters["ties"]) EXPECT_EQ(tie["path"][0], first);
  const json pinned = run_json({"inspect", "zoo:resnet20", "--why", last})["axes"][0]["pinned"];
  EXPECT_THAT(pinned["reason"].get<std::string>(), HasSubstr("output"));
  EXPECT_TRUE(fails(coppice({"inspect", "zoo:resnet20", "--why", "nobody"}), 2, "no such node"));
  const std::string second = layers[1]["name"].get<std::string>();
  const std::string slip = second.substr(0, second.size() - 1);
  EXPECT_TRUE(fails(coppice({"inspect", "zoo:resnet20", "--why", slip}), 2, "near it: '"));
}

TEST(Inspect, norms_say_whether_they_can_be_trusted) {
  const json found = run_json({"inspect", "zoo:resnet20", "--norms"});
  std::set<std::string> weights;
  for (const json& layer : found["norms"]) weights.insert(layer["weight"]);
  EXPECT_EQ(weights.size(), 19u);
  for (const json& layer : found["norms"]) {
    EXPECT_LE(layer["least"], layer["mean"]);
    EXPECT_GE(layer["most"], layer["mean"]);
    EXPECT_GT(layer["overlap"], 0);
  }
  const Ran ran = coppice({"inspect", "zoo:resnet20", "--norms"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("small norms say little about this model"))
      << "untrained filters all have the same norm, more or less";
}

TEST(Prune, ranks_over_all_layers_on_demand) {
  const TempDir dir;
  const auto lost = [&](const Arguments& more) {
    Arguments arguments = {
        "prune", "zoo:resnet20", "-o", dir / "out.onnx", "--latency", "off",           "--verify",
        "off",   "--round-to",   "1",  "--method",       "fpgm",      "--prune-ratio", "0.5"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::set<double> shares;
    const json found = run_json(arguments);
    for (const json& group : found["groups"]) {
      shares.insert(1 - group["after"].get<double>() / group["before"].get<double>());
    }
    return shares;
  };
  EXPECT_EQ(lost({}), std::set<double>{0.5});
  EXPECT_GT(lost({"--scope", "global"}).size(), 1u);
  EXPECT_LE(*lost({"--scope", "global", "--max-layer-ratio", "0.6"}).rbegin(), 0.6);
  EXPECT_EQ(lost({"--norm-share", "0.25"}), std::set<double>{0.5});
}

TEST(Prune, rewrites_its_result_on_demand) {
  const TempDir dir;
  const auto ops = [&](const char* option) {
    const std::string out = dir / "out.onnx";
    Arguments arguments{"prune", "zoo:resnet20", "-o", out, "--latency", "off"};
    if (*option) arguments.push_back(option);
    EXPECT_EQ(run_json(arguments)["verified"], true);
    const json found = run_json({"inspect", out});
    std::set<std::string> kinds;
    for (const json& layer : found["layers"]) kinds.insert(layer["op"]);
    return kinds;
  };
  EXPECT_TRUE(ops("").contains("BatchNormalization"));
  EXPECT_FALSE(ops("--fold-bn").contains("BatchNormalization"));
  EXPECT_TRUE(ops("--simplify").contains("BatchNormalization"));
}

TEST(Simplify, writes_the_same_model_with_fewer_nodes) {
  const TempDir dir;
  const std::string out = dir / "simple.onnx";
  const json found = run_json({"simplify", "zoo:resnet20", "-o", out, "--fold-bn"});
  EXPECT_EQ(found["verified"], true);
  EXPECT_LT(found["proof"]["error"], 1e-4);
  EXPECT_LT(found["after"]["nodes"], found["before"]["nodes"]);
  EXPECT_EQ(run_json({"verify", "zoo:resnet20", out})["equal"], true);
  EXPECT_TRUE(
      fails(coppice({"simplify", "zoo:resnet20", "-o", dir / "simple.txt"}), 2, "simple.txt"));
  EXPECT_FALSE(std::filesystem::exists(dir / "simple.txt"));
}

class Pruned : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(coppice({"zoo", "resnet20", "-o", model}).code, 0);
    result = run_json({"prune", model, "-o", small, "--quiet"});
  }

  TempDir dir;
  const std::string model = dir / "model.onnx", small = dir / "small.onnx",
                    plan = dir / "small.plan.json";
  json result;
};

TEST_F(Pruned, has_the_fields_that_scripts_rely_on) {
  EXPECT_EQ(names_in(dir.path()),
            (std::set<std::string>{"model.onnx", "small.onnx", "small.plan.json"}));
  EXPECT_EQ(result["method"], "l2");
  EXPECT_EQ(result["verified"], true);
  EXPECT_EQ(result["plan"], plan);
  for (const char* side : {"before", "after"}) {
    for (const char* field : {"parameters", "macs", "bytes", "latency_ms", "latency_min_ms"}) {
      EXPECT_GT(result[side][field], 0) << side << " " << field;
    }
    EXPECT_EQ(result[side]["latency_threads"], 1);  // unless --threads says more
    EXPECT_GE(result[side]["latency_ms"], result[side]["latency_min_ms"]);
    EXPECT_GE(result[side]["latency_spread"], 0);
    EXPECT_TRUE(result[side]["latency_steady"].is_boolean());
  }
  EXPECT_LE(result["after"]["macs"], result["before"]["macs"].get<double>() / 2);
  EXPECT_EQ(result["after"]["bytes"], std::filesystem::file_size(small));
  EXPECT_EQ(result["before"]["bytes"], std::filesystem::file_size(model));
  EXPECT_EQ(run_json({"inspect", small})["macs"], result["after"]["macs"]);
  EXPECT_EQ(run_json({"inspect", small})["parameters"], result["after"]["parameters"]);
}

TEST_F(Pruned, the_plan_names_the_model_and_replays_to_the_same_bytes) {
  const json written = json::parse(read_text(plan));
  EXPECT_EQ(written["model"]["file"], "model.onnx");
  EXPECT_EQ(written["model"]["sha256"], sha256_of_file(model));
  EXPECT_FALSE(written["slices"].empty());
  const json again = run_json({"apply", plan, model, "-o", dir / "again.onnx"});
  EXPECT_EQ(again["verified"], true);
  EXPECT_EQ(again["after"], [&] {
    json after = result["after"];
    for (const char* field : {"ms", "min_ms", "spread", "waited", "threads", "steady"}) {
      after.erase(std::string("latency_") + field);
    }
    after.erase("deployed");
    return after;
  }());
  EXPECT_EQ(sha256_of_file(dir / "again.onnx"), sha256_of_file(small));
}

TEST_F(Pruned, verify_finds_the_cut_by_its_plan_and_the_difference_without) {
  const json proved = run_json({"verify", model, small, "--plan", plan});
  EXPECT_EQ(proved["equal"], true);
  EXPECT_EQ(proved["same_weights"], true);
  EXPECT_LT(proved["error"], 1e-6);
  const Ran differing = coppice({"verify", model, small});
  EXPECT_TRUE(fails(differing, 4, "differs"));
  const Ran as_json = coppice({"verify", model, small, "--json"});
  EXPECT_EQ(as_json.code, 4);
  EXPECT_EQ(as_json.json()["equal"], false);
  EXPECT_EQ(run_json({"verify", model, model})["error"], 0);
}

TEST_F(Pruned, the_command_it_prints_does_the_same_again) {
  const std::string before = sha256_of_file(small);
  std::filesystem::remove(small);
  std::string command = result["command"];
  ASSERT_TRUE(command.starts_with("coppice prune "));
  command.replace(0, std::string("coppice").size(), COPPICE_PROGRAM);
  ASSERT_EQ(std::system((command + " >/dev/null").c_str()), 0);
  EXPECT_EQ(sha256_of_file(small), before);
}

TEST_F(Pruned, the_plan_holds_for_the_same_net_with_other_weights_and_says_so) {
  const std::string other = dir / "other.onnx";
  ASSERT_EQ(coppice({"zoo", "resnet20", "-o", other, "--seed", "1"}).code, 0);
  for (const Arguments& retrained : {Arguments{other}, Arguments{"zoo:resnet20", "--seed", "1"}}) {
    Arguments apply = {"apply", plan, "-o", dir / "o.onnx"};
    apply.insert(apply.end(), retrained.begin(), retrained.end());
    const json found = run_json(apply);
    EXPECT_EQ(found["verified"], true);
    EXPECT_EQ(found["same_model"], false);
    EXPECT_EQ(found["after"]["macs"], result["after"]["macs"]);
    EXPECT_THAT(coppice(apply).err, HasSubstr("was made for another file, 'model.onnx'"));
  }
  EXPECT_EQ(run_json({"apply", plan, model, "-o", dir / "o.onnx"})["same_model"], true);
  EXPECT_THAT(coppice({"apply", plan, model, "-o", dir / "o.onnx"}).err,
              testing::Not(HasSubstr("another file")));
  const Ran verified = coppice({"verify", other, small, "--plan", plan, "--json"});
  EXPECT_EQ(verified.code, 4) << "the weights differ";
  EXPECT_EQ(verified.json()["same_model"], false);
}

TEST_F(Pruned, another_models_plan_is_refused) {
  const auto before = names_in(dir.path());
  EXPECT_TRUE(
      fails(coppice({"apply", plan, "zoo:lenet5", "-o", dir / "o.onnx"}), 3, "another model"));
  EXPECT_TRUE(fails(coppice({"apply", plan, "zoo:resnet56", "-o", dir / "o.onnx"}), 3,
                    "can't leave this model, whose ties are different"));
  EXPECT_TRUE(fails(coppice({"verify", "zoo:lenet5", small, "--plan", plan}), 3, "another model"));
  EXPECT_TRUE(fails(coppice({"apply", model, model, "-o", dir / "o.onnx"}), 3, "model.onnx"));
  EXPECT_EQ(names_in(dir.path()), before);
}

TEST_F(Pruned, a_plan_without_a_checksum_must_still_fit) {
  json loose = json::parse(read_text(plan));
  loose["model"]["sha256"] = "";
  write_text(dir / "loose.json", loose.dump());
  EXPECT_EQ(run_json({"apply", dir / "loose.json", model, "-o", dir / "o.onnx"})["verified"], true);
  EXPECT_TRUE(fails(coppice({"apply", dir / "loose.json", "zoo:lenet5", "-o", dir / "p.onnx"}), 3,
                    "another model"));
}

TEST(Prune, text_has_the_table_the_groups_the_proof_and_the_files) {
  const TempDir dir;
  const Ran ran = coppice({"prune", "zoo:lenet5", "-o", dir / "small.onnx"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const char* part :
       {"parameters", "MACs", "file", "latency", "conv1.weight", "proved: largest difference",
        "small.onnx", "small.plan.json", "again: coppice prune zoo:lenet5"}) {
    EXPECT_THAT(ran.out, HasSubstr(part));
  }
  const Ran quick = coppice(
      {"prune", "zoo:lenet5", "-o", dir / "small.onnx", "--verify", "off", "--latency", "off"});
  EXPECT_THAT(quick.out, HasSubstr("not proved (--verify off)"));
  EXPECT_THAT(quick.out, testing::Not(HasSubstr("latency, ")));
}

TEST(Prune, options_come_from_a_file_and_give_way_to_the_command_line) {
  const TempDir dir;
  write_text(dir / "options.toml",
             "keep-params = 0.3\nround-to = \"1\"\nmethod = \"l1\"\nlatency = \"off\"\n");
  const Arguments arguments = {"prune",    "zoo:lenet5",        "-o", dir / "small.onnx",
                               "--config", dir / "options.toml"};
  const json found = run_json(arguments);
  EXPECT_EQ(found["method"], "l1");
  EXPECT_LE(found["after"]["parameters"], 0.3 * found["before"]["parameters"].get<double>());
  EXPECT_FALSE(found["after"].contains("latency_ms"));
  Arguments other = arguments;
  other.insert(other.end(), {"--method", "random"});
  EXPECT_EQ(run_json(other)["method"], "random");
}

TEST(Prune, keeps_what_it_is_told_to_keep) {
  const TempDir dir;
  const json found = run_json({"prune", "zoo:lenet5", "-o", dir / "small.onnx", "--prune-ratio",
                               "0.5", "--round-to", "1", "--keep", "conv1", "--latency", "off"});
  for (const json& group : found["groups"]) {
    const bool kept = group["name"] == "conv1.weight";
    EXPECT_EQ(group["after"], group["before"].get<int>() / (kept ? 1 : 2)) << group["name"];
  }
}

TEST(Prune, writes_the_preprocessing_and_eval_reads_it_back) {
  const TempDir dir;
  const json found = run_json({"prune", "zoo:lenet5", "-o", dir / "small.onnx", "--data", "digits",
                               "--preprocess", "scale=1/255,mean=0.2", "--latency", "off"});
  for (const char* side : {"before", "after"}) {
    EXPECT_GE(found[side]["top1"], 0);
    EXPECT_LE(found[side]["top1"], 1);
  }
  const Ran eval = coppice({"eval", dir / "small.onnx", "--data", "digits", "--json"});
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_EQ(eval.err.find("doesn't say how"), std::string::npos);
  EXPECT_EQ(eval.json()["top1"], found["after"]["top1"]);
  EXPECT_THAT(eval.json()["preprocess"].get<std::string>(), HasSubstr("mean=0.2"));
}

TEST(Eval, has_the_fields_that_scripts_rely_on_and_warns_of_guessed_preprocessing) {
  const TempDir dir;
  const Ran ran = coppice({"eval", "zoo:lenet5", "--data", "digits", "--limit", "230", "--json",
                           "--run-dir", dir.path()});
  ASSERT_EQ(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("warning: the model doesn't say how"));
  const json found = ran.json();
  EXPECT_EQ(found["images"], 230);
  EXPECT_EQ(found["judged_by"], "test");
  EXPECT_EQ(found["preprocess_from"], "data set");
  EXPECT_FALSE(found.contains("label_offset"));
  EXPECT_GT(found["loss"], 0);
  EXPECT_GE(found["top5"], found["top1"]);
  EXPECT_GT(found["images_per_second"], 0);
  const json run = json::parse(read_text(dir / "run.json"));
  EXPECT_EQ(run["status"], "done");
  EXPECT_EQ(run["result"]["top1"], found["top1"]);
  EXPECT_EQ(run["command"][1], "eval");
  EXPECT_THAT(read_text(dir / "metrics.jsonl"), HasSubstr("\"images\":230"));
}

TEST(Eval, gives_the_same_at_any_batch_and_thread_count) {
  const json one = run_json({"eval", "zoo:lenet5", "--data", "digits", "--limit", "50"});
  const json other = run_json({"eval", "zoo:lenet5", "--data", "digits", "--limit", "50", "--batch",
                               "7", "--threads", "1"});
  EXPECT_EQ(one["top1"], other["top1"]);
  EXPECT_EQ(one["top5"], other["top5"]);
  EXPECT_NEAR(one["loss"], other["loss"], 1e-5);
}

TEST(Quiet, results_come_without_remarks) {
  const TempDir dir;
  const auto out = [&](const Arguments& more) {
    Arguments all = {"prune", "zoo:resnet20", "-o", dir / "o.onnx", "--latency", "off"};
    all.insert(all.end(), more.begin(), more.end());
    const Ran ran = coppice(all);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return ran.out;
  };
  for (const char* remark : {"'--recover all' would", "again: "}) {
    EXPECT_THAT(out({"--recover", "none"}), HasSubstr(remark));
    EXPECT_THAT(out({"--recover", "none", "--quiet"}), testing::Not(HasSubstr(remark)));
  }
  const std::string quiet = out({"--quiet", "--method", "magnitude", "--sparsity", "0.5"});
  EXPECT_THAT(quiet, testing::Not(HasSubstr("zeros take")));
  for (const char* result : {"sparsity", "checked: ", "wrote "}) {
    EXPECT_THAT(quiet, HasSubstr(result));
  }
}

TEST(Eval, warnings_are_shown_even_when_it_is_to_be_quiet) {
  const Ran ran = coppice({"eval", "zoo:lenet5", "--data", "digits", "--limit", "10", "--quiet"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("warning: the model doesn't say how"));
  EXPECT_THAT(ran.out, HasSubstr("test"));
}

TEST(Eval, has_a_device_for_the_training_engine_alone) {
  EXPECT_TRUE(fails(coppice({"eval", "zoo:lenet5", "--data", "digits", "--device", "cuda"}), 2,
                    "add --engine train"));
}

TEST(Bench, has_the_fields_that_scripts_rely_on) {
  const json found =
      run_json({"bench", "zoo:lenet5", "--threads", "1", "--batch", "3", "--layers"});
  EXPECT_GT(found["latency_ms"]["median"], 0);
  EXPECT_GE(found["latency_ms"]["median"], found["latency_ms"]["min"]);
  EXPECT_GE(found["latency_ms"]["p95"], found["latency_ms"]["median"]);
  EXPECT_GE(found["spread"], 0);
  EXPECT_TRUE(found["steady"].is_boolean());
  EXPECT_EQ(found["threads"], 1);
  EXPECT_EQ(found["batch"], 3);
  ASSERT_FALSE(found["layers"].empty());
  for (const char* field : {"name", "kind", "ms"}) {
    EXPECT_TRUE(found["layers"][0].contains(field)) << field;
  }
  EXPECT_GT(found["peak_gflops"], 0);
  EXPECT_TRUE(std::ranges::any_of(
      found["layers"], [](const json& layer) { return layer.value("share_of_peak", 0.0) > 0; }));
}

TEST(Zoo, writes_the_same_bytes_for_the_same_seed) {
  const TempDir dir;
  const json found = run_json({"zoo", "lenet300-100", "-o", dir / "a.onnx", "--seed", "3"});
  EXPECT_EQ(found["bytes"], std::filesystem::file_size(dir / "a.onnx"));
  ASSERT_EQ(coppice({"zoo", "lenet300-100", "-o", dir / "b.onnx", "--seed", "3"}).code, 0);
  ASSERT_EQ(coppice({"zoo", "lenet300-100", "-o", dir / "c.onnx", "--seed", "4"}).code, 0);
  EXPECT_EQ(sha256_of_file(dir / "a.onnx"), sha256_of_file(dir / "b.onnx"));
  EXPECT_NE(sha256_of_file(dir / "a.onnx"), sha256_of_file(dir / "c.onnx"));
  EXPECT_EQ(run_json({"verify", "zoo:lenet300-100", dir / "a.onnx", "--seed", "3"})["equal"], true);
}

TEST(Zoo, a_plan_made_from_a_name_fits_the_file_of_the_same_seed) {
  const TempDir dir;
  ASSERT_EQ(coppice({"prune", "zoo:lenet5", "-o", dir / "a.onnx", "--latency", "off"}).code, 0);
  ASSERT_EQ(coppice({"zoo", "lenet5", "-o", dir / "model.onnx"}).code, 0);
  ASSERT_EQ(coppice({"apply", dir / "a.plan.json", dir / "model.onnx", "-o", dir / "b.onnx"}).code,
            0);
  EXPECT_EQ(sha256_of_file(dir / "a.onnx"), sha256_of_file(dir / "b.onnx"));
}

TEST(RunFolders, keep_why_a_run_failed) {
  const TempDir dir;
  EXPECT_EQ(coppice({"inspect", dir / "none.onnx", "--run-dir", dir / "run"}).code, 3);
  const json run = json::parse(read_text(dir / "run" / "run.json"));
  EXPECT_EQ(run["status"], "failed");
  EXPECT_THAT(run["error"].get<std::string>(), HasSubstr("none.onnx"));
}

}  // namespace
}  // namespace coppice
