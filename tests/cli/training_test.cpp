// `train` and `prune --epochs`, as a user runs them: results, interruption, and what is refused.
#include <gmock/gmock.h>

#include <filesystem>
#include <functional>
#include <sstream>

#include "cli/training_fixture.h"

namespace coppice {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST_F(Training, learns_and_says_how_well) {
  const Ran ran = coppice(train("lenet5.onnx", 2, {"--json"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json found = ran.json();
  EXPECT_EQ(found["judged_by"], "held out") << "two npy files have no test part";
  EXPECT_GT(found["judged"]["top1"], 0.9);
  EXPECT_EQ(found["judged"]["images"], 64);
  EXPECT_EQ(found["preprocess_from"], "--preprocess");
  ASSERT_EQ(found["training"]["history"].size(), 2u);
  EXPECT_EQ(found["training"]["history"][1]["epoch"], 2);
  EXPECT_EQ(found["training"]["history"][1]["held_out"]["images"], 64);
  EXPECT_LT(found["training"]["history"][1]["loss"], found["training"]["history"][0]["loss"]);
  EXPECT_EQ(found["training"]["parameters"]["trained"], found["training"]["parameters"]["all"]);
  EXPECT_THAT(found["training"]["remarks"][0].get<std::string>(), HasSubstr("trains "));
  EXPECT_EQ(found["training"]["history"][1]["held_out"]["loss_of"], "logits");
  // The preprocessing went into the model, and the checkpoint went away.
  const Ran runtime = coppice({"eval", path("lenet5.onnx"), "--data", data_, "--json"});
  const Ran engine =
      coppice({"eval", path("lenet5.onnx"), "--data", data_, "--engine", "train", "--json"});
  EXPECT_EQ(runtime.json()["judged_by"], "training images") << "eval can't know what was held out";
  EXPECT_EQ(runtime.json()["preprocess_from"], "metadata");
  EXPECT_EQ(engine.json()["top1"], runtime.json()["top1"]);
  EXPECT_NEAR(engine.json()["loss"], runtime.json()["loss"], 1e-5);
  EXPECT_FALSE(std::filesystem::exists(path("lenet5.run/checkpoint")));
  EXPECT_TRUE(std::filesystem::exists(path("lenet5.run/metrics.jsonl")));
}

TEST_F(Training, interrupted_and_resumed_ends_in_the_same_bits) {
  const Ran whole = coppice(train("whole.onnx", 40));
  ASSERT_EQ(whole.code, 0) << whole.err;
  // The checkpoint is there when the first epoch is done.
  const Ran stopped = interrupt_coppice(train("parts.onnx", 40), path("parts.run/checkpoint"));
  EXPECT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_FALSE(std::filesystem::exists(path("parts.onnx")));
  EXPECT_TRUE(fails(coppice(train("parts.onnx", 40)), 2, "unfinished"));
  EXPECT_TRUE(fails(coppice(resumed(train("parts.onnx", 41))), 2, "--epochs is '41'"));
  const Ran again = coppice(resumed(train("parts.onnx", 40)));
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("going on from epoch"));
  EXPECT_EQ(sha256_of_file(path("whole.onnx")), sha256_of_file(path("parts.onnx")));
}

TEST_F(Training, killed_and_resumed_ends_in_the_same_bits_with_masks_and_a_teacher) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 2)).code, 0);
  const Arguments how = {"--method", "magnitude", "--sparsity", "0.8", "--epochs", "40"};
  ASSERT_EQ(coppice(prune("whole.onnx", how)).code, 0);
  const Ran killed =
      interrupt_coppice(prune("parts.onnx", how), path("parts.run/checkpoint"), SIGKILL);
  EXPECT_EQ(killed.code, 128 + SIGKILL);
  const Ran again = coppice(resumed(prune("parts.onnx", how)));
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(sha256_of_file(path("whole.onnx")), sha256_of_file(path("parts.onnx")));
}

TEST_F(Training, brings_a_cut_network_back) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 3)).code, 0);
  const Ran ran = coppice(prune("small.onnx", {"--keep-macs", "0.2", "--epochs", "3", "--json"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json found = ran.json();
  EXPECT_LE(found["after"]["macs"], 0.2 * found["before"]["macs"].get<double>());
  EXPECT_GT(found["after"]["top1"], 0.9);
  EXPECT_EQ(found["verified"], true);
  EXPECT_EQ(found["training"]["distillation"], 0.9);
}

TEST_F(Training, slims_a_net_from_the_beginning_and_warns_of_a_weak_penalty) {
  const auto slim = [&](const Arguments& more) {
    Arguments all = {"prune",
                     "zoo:mlp500-300-bn",
                     "--method",
                     "slimming",
                     "--data",
                     data_,
                     "--preprocess",
                     "mnist",
                     "-o",
                     path("slim.onnx"),
                     "--epochs",
                     "2",
                     "--batch",
                     "64",
                     "--threads",
                     "1",
                     "--prune-ratio",
                     "0.7",
                     "--json",
                     "--round-to",
                     "1",
                     "--latency",
                     "off"};
    all.insert(all.end(), more.begin(), more.end());
    return coppice(all);
  };
  const Ran ran = slim({"--lambda", "0.1"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, testing::Not(HasSubstr("is weak")));
  const json found = ran.json();
  int64_t left = 0;
  for (const json& group : found["groups"]) left += group["after"].get<int64_t>();
  EXPECT_EQ(left, 240) << "of 800";
  EXPECT_GT(found["after"]["top1"], 0.9);
  EXPECT_EQ(found["verified"], true);
  EXPECT_EQ(found["training"]["history"].size(), 4u);
  EXPECT_EQ(found["training"]["best"]["stage"], "fine-tuning") << "the others weren't cut";
  const json& stages = found["training"]["stages"];
  ASSERT_EQ(stages.size(), 4u);
  for (const json& stage : stages) {
    EXPECT_EQ(stage.contains("held_out"), stage["stage"] == "pruning") << stage;
  }
  EXPECT_THAT(ran.err, HasSubstr("pruning: held out "));
  EXPECT_EQ(found["training"]["distillation"], 0) << "an untrained net teaches nothing";
  const Ran weak = slim({"--tune-epochs", "1", "--tune-lr", "0.01"});
  ASSERT_EQ(weak.code, 0) << weak.err;
  EXPECT_THAT(weak.err, HasSubstr("--lambda 0.0001 is weak for this training"));
  EXPECT_EQ(weak.json()["training"]["history"].size(), 3u);
}

TEST_F(Training, an_untrained_file_is_refused_unless_it_is_said_to_be_one) {
  ASSERT_EQ(coppice({"zoo", "lenet5", "-o", path("lenet5.onnx")}).code, 0);
  const Arguments how = {"--keep-macs", "0.5", "--epochs", "1", "--preprocess", "mnist", "--json"};
  const auto with = [&](const Arguments& more) {
    Arguments all = how;
    all.insert(all.end(), more.begin(), more.end());
    return coppice(prune("small.onnx", all));
  };
  EXPECT_TRUE(fails(with({}), 3, "--from-scratch"));
  const Ran scratch = with({"--from-scratch"});
  ASSERT_EQ(scratch.code, 0) << scratch.err;
  EXPECT_EQ(scratch.json()["training"]["distillation"], 0);
  EXPECT_THAT(scratch.json()["command"].get<std::string>(), HasSubstr("--from-scratch"));
  const Ran meant = with({"--lr", "0.02"});
  ASSERT_EQ(meant.code, 0) << meant.err;
  EXPECT_THAT(meant.err, HasSubstr("and chance is 10.0 %"));
  EXPECT_EQ(meant.json()["training"]["distillation"], 0) << "what knows nothing doesn't teach";
  EXPECT_EQ(meant.json()["training"]["learning_rate"], 0.02);
  const Ran taught = with({"--distill", "0.5"});
  ASSERT_EQ(taught.code, 0) << taught.err;
  EXPECT_EQ(taught.json()["training"]["distillation"], 0.5);
}

// A model that is good, but shown the wrong way: at the rate of an untrained one it would be lost.
TEST_F(Training, a_good_file_is_never_retrained_by_mistake) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 3)).code, 0);
  const std::string model = path("lenet5.onnx"), out = path("out.onnx");
  const Arguments wrong = {"--preprocess", "scale=-1/40,mean=9", "--batch", "64", "--quiet"};
  const auto with = [&](Arguments first) {
    first.insert(first.end(), wrong.begin(), wrong.end());
    return coppice(first);
  };
  const std::string said = "(given by --preprocess)";
  EXPECT_TRUE(fails(with({"train", model, "--data", data_, "-o", out}), 3, said));
  EXPECT_TRUE(fails(with({"train", model, "--data", data_, "-o", out, "--val", "0"}), 3, said));
  EXPECT_TRUE(fails(with({"prune", model, "--data", data_, "-o", out, "--epochs", "1"}), 3, said));
  const std::string packed = out + ".coppice";
  EXPECT_TRUE(
      fails(with({"compress", model, "--data", data_, "-o", packed, "--bits", "5"}), 3, said));
  EXPECT_FALSE(std::filesystem::exists(out) || std::filesystem::exists(packed));
  const Ran judged = with({"eval", model, "--data", data_});
  EXPECT_EQ(judged.code, 0);
  EXPECT_THAT(judged.err, HasSubstr(said)) << "--quiet hides no warning";
}

TEST_F(Training, labels_in_another_order_or_from_one_are_told_apart) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 3)).code, 0);
  const std::string model = path("lenet5.onnx"), out = path("out.onnx"), x = path("x.npy");
  const auto labels = [&](const std::string& name, const std::function<int64_t(int64_t)>& of) {
    std::string bytes;
    for (int64_t i = 0; i < kImages; ++i) bytes += static_cast<char>(of(i % kClasses));
    write_text(path(name), npy("|u1", "(640,)", bytes));
    return "npy:" + x + "," + path(name);
  };
  const std::string backwards = labels("b.npy", [](int64_t label) { return 9 - label; });
  EXPECT_TRUE(fails(coppice({"train", model, "--data", backwards, "-o", out, "--batch", "64"}), 3,
                    "in another order"));
  const std::string ones = labels("o.npy", [](int64_t label) { return label + 1; });
  EXPECT_TRUE(fails(coppice({"eval", model, "--data", ones}), 3, "--label-offset -1"));
  const Ran right = coppice({"eval", model, "--data", ones, "--label-offset", "-1", "--json"});
  ASSERT_EQ(right.code, 0) << right.err;
  EXPECT_GT(right.json()["top1"], 0.9);
  EXPECT_EQ(right.json()["label_offset"], -1);
  EXPECT_EQ(right.err.find("warning"), std::string::npos) << right.err;
  const Ran low = coppice({"eval", model, "--data", ones, "--label-offset", "-2"});
  EXPECT_TRUE(fails(low, 3, "label 1 of image 0 shifted by -2 is -1"));
  const Ran trained = coppice({"prune", model, "--data", ones, "--label-offset", "-1", "--epochs",
                               "1", "-o", out, "--batch", "64", "--latency", "off", "--json"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_GT(trained.json()["before"]["top1"], 0.9);
  EXPECT_THAT(trained.json()["command"].get<std::string>(), HasSubstr("--label-offset -1"));
}

// 1-based labels and a head with room for them: nothing refuses them, and nothing is right.
TEST_F(Training, labels_from_one_under_a_larger_head_are_diagnosed_by_eval) {
  const std::string model = path("lenet5.onnx");
  ASSERT_EQ(coppice(train("lenet5.onnx", 3)).code, 0);
  std::string few, labels;
  for (int64_t i = 0; i < kImages; ++i) {  // classes 0 to 6, called 1 to 7
    if (i % kClasses > 6) continue;
    labels += static_cast<char>(i % kClasses + 1);
    few +=
        read_text(path("x.npy")).substr(read_text(path("x.npy")).size() - (kImages - i) * 784, 784);
  }
  write_text(path("few.npy"), npy("|u1", "(448, 28, 28)", few));
  write_text(path("ones.npy"), npy("|u1", "(448,)", labels));
  const Ran ran = coppice(
      {"eval", model, "--data", "npy:" + path("few.npy") + "," + path("ones.npy"), "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_LT(ran.json()["top1"], 0.1);
  EXPECT_THAT(ran.err, HasSubstr("with labels shifted by -1 it would get"));
  EXPECT_THAT(ran.err, HasSubstr("--label-offset -1"));
}

// Nothing is learnt from labels at random but the images themselves, and those don't count.
TEST_F(Training, what_was_learnt_by_heart_is_not_called_test) {
  std::string labels;
  Random random(5);
  for (int64_t i = 0; i < kImages; ++i) labels += static_cast<char>(random.below(kClasses));
  write_text(path("r.npy"), npy("|u1", "(640,)", labels));
  const std::string spec = "npy:" + path("x.npy") + "," + path("r.npy");
  const auto learn = [&](const std::string& data, const std::string& epochs,
                         const Arguments& more = {}) {
    Arguments all = {"train",
                     "zoo:lenet300-100",
                     "--data",
                     data,
                     "--preprocess",
                     "mnist",
                     "-o",
                     path("heart.onnx"),
                     "--epochs",
                     epochs,
                     "--batch",
                     "64",
                     "--optimizer",
                     "adam",
                     "--weight-decay",
                     "0",
                     "--threads",
                     "1"};
    all.insert(all.end(), more.begin(), more.end());
    return coppice(all);
  };
  EXPECT_THAT(learn(spec, "1").out, HasSubstr("held out: top-1"));
  EXPECT_THAT(learn(spec, "1", {"--val", "0"}).out, HasSubstr("training images: top-1"));
  std::filesystem::copy(path("x.npy"), path("tx.npy"));
  EXPECT_THAT(learn(spec + "," + path("tx.npy") + "," + path("y.npy"), "1").out,
              HasSubstr("test: top-1"));
  const Ran ran = learn(spec, "100", {"--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_GT(ran.json()["training"]["history"].back()["top1"], 0.8);
  EXPECT_LT(ran.json()["judged"]["top1"], 0.4);
  EXPECT_EQ(ran.json()["judged_by"], "held out");
  EXPECT_FALSE(ran.json().contains("test"));
  const Ran cut = coppice({"prune", path("heart.onnx"), "--data", spec, "-o", path("cut.onnx"),
                           "--recover", "none", "--latency", "off", "--json"});
  ASSERT_EQ(cut.code, 0) << cut.err;
  EXPECT_EQ(cut.json()["judged_by"], "training images")
      << "nothing was trained or fitted, so nothing held out";
}

TEST_F(Training, dsd_gives_a_dense_model_and_an_empty_plan) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 1)).code, 0);
  const Ran ran = coppice(prune("dsd.onnx", {"--method", "dsd", "--epochs", "1", "--json"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json found = ran.json(), plan = json::parse(read_text(path("dsd.onnx.plan.json")));
  EXPECT_EQ(found["after"]["parameters"], found["before"]["parameters"]);
  EXPECT_EQ(found["training"]["history"].size(), 2u);
  EXPECT_EQ(found["training"]["distillation"], 0);
  EXPECT_TRUE(plan["slices"].empty());
  EXPECT_FALSE(plan.contains("masks"));
  const json inspected = coppice({"inspect", path("dsd.onnx"), "--json"}).json();
  EXPECT_GT(inspected["nonzeros"], 0.9 * inspected["weights"].get<double>())
      << "weights of pixels that are always black stay at 0";
  EXPECT_FALSE(std::filesystem::exists(path("dsd.onnx.masks")));
}

TEST_F(Training, soft_pruning_interrupted_and_resumed_ends_in_the_same_bits) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 2)).code, 0);
  const Arguments how = {"--method", "fpgm",          "--soft", "--norm-share",
                         "0.25",     "--prune-ratio", "0.4",    "--round-to",
                         "1",        "--epochs",      "8",      "--tune-epochs",
                         "2",        "--json"};
  const Ran whole = coppice(prune("whole.onnx", how));
  ASSERT_EQ(whole.code, 0) << whole.err;
  const json training = whole.json()["training"];
  ASSERT_EQ(training["history"].size(), 10u);
  for (int epoch = 0; epoch < 10; ++epoch) {  // judged again where filters were zeroed
    EXPECT_EQ(training["history"][epoch].contains("held_out_after"), epoch < 7) << epoch;
  }
  EXPECT_THAT(whole.err, HasSubstr(" after zeroing  "));
  const Ran stopped = interrupt_coppice(prune("parts.onnx", how), path("parts.run/checkpoint"));
  EXPECT_EQ(stopped.code, 130) << stopped.err;
  ASSERT_EQ(coppice(resumed(prune("parts.onnx", how))).code, 0);
  const auto records = [&](const char* run) {
    std::istringstream lines(read_text(path(run) + "/metrics.jsonl"));
    int64_t count = 0;
    for (std::string line; std::getline(lines, line);) count += json::parse(line).contains("stage");
    return count;
  };
  EXPECT_EQ(records("whole.run"), 12) << "10 epochs, zeroing and pruning";
  EXPECT_EQ(records("parts.run"), 12);
  EXPECT_EQ(sha256_of_file(path("whole.onnx")), sha256_of_file(path("parts.onnx")));
  const auto plan = [&](const char* name) {
    json found = json::parse(read_text(path(name)));
    for (const char* own : {"output", "command"}) found.erase(own);
    return found;
  };
  EXPECT_EQ(plan("whole.onnx.plan.json"), plan("parts.onnx.plan.json"));
}

TEST_F(Training, zeros_and_shared_values_stay_unless_they_are_let_go) {
  const std::string sparse = path("sparse.onnx"), packed = path("shared.coppice");
  ASSERT_EQ(coppice({"prune", "zoo:lenet5", "-o", sparse, "--method", "magnitude", "--sparsity",
                     "0.8", "--latency", "off", "--seed", "3"})
                .code,
            0);
  ASSERT_EQ(coppice({"compress", sparse, "-o", packed, "--bits", "4"}).code, 0);
  const auto trained = [&](const Arguments& more) {
    Arguments all = {"train",
                     packed,
                     "--data",
                     data_,
                     "--preprocess",
                     "mnist",
                     "-o",
                     path("trained.onnx"),
                     "--from-scratch",
                     "--epochs",
                     "4",
                     "--batch",
                     "64",
                     "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return coppice(all);
  };
  const Ran kept = trained({});
  ASSERT_EQ(kept.code, 0) << kept.err;
  EXPECT_THAT(kept.err, HasSubstr("zero weights (80.00 %) and 4 layers of shared values; --zeros "
                                  "free lets go"));
  EXPECT_EQ(kept.json()["after"], kept.json()["before"]);
  EXPECT_EQ(kept.json()["after"]["shared_layers"], 4);
  EXPECT_EQ(kept.json()["denser"], false);
  EXPECT_GT(kept.json()["training"]["kept"]["zeros"], 300'000);
  const json epochs = kept.json()["training"]["history"];
  EXPECT_LT(epochs.back()["loss"], epochs.front()["loss"]) << "what is kept can still be trained";

  const Ran freed = trained({"--zeros", "free"});
  ASSERT_EQ(freed.code, 0) << freed.err;
  EXPECT_THAT(freed.err, HasSubstr("denser than what came in"));
  EXPECT_EQ(freed.json()["denser"], true);
  EXPECT_EQ(freed.json()["after"]["shared_layers"], 0);

  const Ran cut = coppice({"prune", packed, "--data", data_, "--preprocess", "mnist", "-o",
                           path("cut.onnx"), "--method", "fpgm", "--from-scratch", "--epochs", "1",
                           "--batch", "64", "--latency", "off", "--json"});
  ASSERT_EQ(cut.code, 0) << cut.err;
  EXPECT_EQ(cut.json()["after"]["shared_layers"], 4);
  EXPECT_LE(cut.json()["after"]["nonzeros"], cut.json()["before"]["nonzeros"]);
}

TEST_F(Training, refuses_what_makes_no_sense) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 1)).code, 0);
  const std::string model = path("lenet5.onnx"), out = path("out.onnx");
  EXPECT_TRUE(fails(coppice({"prune", model, "-o", out, "--epochs", "3"}), 2, "needs --data"));
  EXPECT_TRUE(fails(coppice({"prune", model, "-o", out, "--lr", "0.1"}), 2, "--epochs"));
  EXPECT_TRUE(fails(coppice({"prune", model, "-o", out, "--resume"}), 2, "--resume"));
  EXPECT_TRUE(fails(coppice(prune("out.onnx", {"--epochs", "1", "--device", "cuda"})), 2, "cuda"));
  EXPECT_TRUE(
      fails(coppice({"train", model, "--data", data_, "-o", out, "--batch", "1000", "--quiet"}), 3,
            "at least one batch of 1000"));
  EXPECT_TRUE(fails(coppice({"train", "zoo:resnet20", "--data", data_, "--preprocess", "none", "-o",
                             out, "--batch", "1"}),
                    2, "BatchNormalization"));
  EXPECT_TRUE(
      fails(coppice({"train", model, "--data", data_, "-o", out, "--lr", "1e30", "--quiet"}), 4,
            "of epoch 1"));
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace coppice
