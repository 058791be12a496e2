// --recover: what it says of itself, and that a plan replayed with it gives the same bits.
#include <gmock/gmock.h>

#include "cli/program.h"
#include "core/files.h"
#include "onnx/onnx.h"
#include "support/graphs/text_graph.h"
#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct Compensating {
  TempDir dir;

  Arguments prune(const std::string& model, const std::string& out, const Arguments& more) const {
    Arguments arguments = {"prune",     model,        "-o", dir / out, "--prune-ratio",
                           "0.2",       "--round-to", "1",  "--plan",  dir / "plan.json",
                           "--latency", "off"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
};

TEST(Recover, says_how_many_layers_were_made_up_for) {
  const Compensating test;
  const Ran ran = coppice(test.prune("zoo:resnet20", "out.onnx", {"--recover", "all", "--json"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json found = ran.json();
  EXPECT_EQ(found["verified"], true);
  const auto step = [](const char* name, int layers) {
    return json{{"step", name}, {"kept", true}, {"corrected", layers}, {"unknown", 0}};
  };
  const json expected = {
      {"layers", 19}, {"bias", 19},
      {"merge", 19},  {"scale", 18},
      {"unknown", 0}, {"steps", {step("bias", 19), step("merge", 19), step("scale", 18)}}};
  EXPECT_EQ(found["recovered"], expected);
  EXPECT_THAT(found["command"].get<std::string>(), HasSubstr("--recover all"));
}

TEST(Recover, says_where_the_model_says_too_little) {
  const Compensating test;
  const Ran ran = coppice(test.prune("zoo:lenet5", "out.onnx", {"--recover", "bias,merge"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("left alone: too little is known"));
}

// Digits for LeNet, which says nothing of its channels itself.
const Arguments kDigits = {"--recover", "all", "--data", "digits", "--preprocess", "scale=1/255"};

Arguments joined(Arguments first, const Arguments& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

TEST(Recover, by_images_it_makes_up_for_layers_that_the_model_says_nothing_of) {
  const Compensating test;
  const Ran ran = coppice(
      test.prune("zoo:lenet5", "out.onnx", joined(kDigits, {"--recover-images", "60", "--json"})));
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json found = ran.json();
  EXPECT_EQ(found["recovered"]["images"], 60);
  std::vector<std::string> tried;
  for (const json& step : found["recovered"]["steps"]) {
    tried.push_back(step["step"]);
    EXPECT_EQ(step["kept"], step["error_after"] < step["error_before"]) << step;
    EXPECT_EQ(step["corrected"], 3) << step;
  }
  EXPECT_EQ(tried, (std::vector<std::string>{"bias", "merge", "ls", "bn"}));
  EXPECT_THAT(found["command"].get<std::string>(), HasSubstr("--recover-images 60"));
}

TEST(Recover, a_plan_replayed_by_the_same_images_gives_the_same_bits) {
  const Compensating test;
  const Ran first = coppice(test.prune("zoo:lenet5", "out.onnx", kDigits));
  ASSERT_EQ(first.code, 0) << first.err;
  const Arguments apply = joined(
      {"apply", test.dir / "plan.json", "zoo:lenet5", "-o", test.dir / "again.onnx"}, kDigits);
  const Ran again = coppice(apply);
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("--data digits"));
  EXPECT_EQ(read_text(test.dir / "again.onnx"), read_text(test.dir / "out.onnx"));
}

TEST(Recover, the_plan_tells_what_was_kept_and_who_applies_it_without_hears_of_it) {
  const Compensating test;
  const Ran ran = coppice(test.prune("zoo:lenet5", "out.onnx", joined(kDigits, {"--json"})));
  ASSERT_EQ(ran.code, 0) << ran.err;
  json kept = json::array(), dropped = json::array();
  const json found = ran.json();
  for (const json& step : found["recovered"]["steps"]) {
    (step["kept"].get<bool>() ? kept : dropped).push_back(step["step"]);
  }
  ASSERT_FALSE(kept.empty());
  const json plan = json::parse(read_text(test.dir / "plan.json"));
  EXPECT_EQ(plan["recovered"], (json{{"kept", kept}, {"dropped", dropped}, {"images", 500}}));
  const Ran alone =
      coppice({"apply", test.dir / "plan.json", "zoo:lenet5", "-o", test.dir / "again.onnx"});
  ASSERT_EQ(alone.code, 0) << alone.err;
  EXPECT_THAT(alone.err,
              HasSubstr("made up for what leaves by --recover " + kept[0].get<std::string>()));
  EXPECT_THAT(alone.err, HasSubstr("500 images of --data"));
}

TEST(Recover, a_net_that_names_no_classes_is_recovered_by_its_outputs) {
  const Compensating test;
  write_onnx(parse_text_graph(R"(
    input x float32 [N, 1, 28, 28]
    const w float32 [10, 1, 3, 3] random
    const v float32 [2, 10, 3, 3] random
    c = Conv(x, w)
    r = Relu(c)
    y = Conv(r, v)
    output y
  )"),
             test.dir / "net.onnx");
  const Ran ran =
      coppice(test.prune(test.dir / "net.onnx", "out.onnx", joined(kDigits, {"--json"})));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("not judged by labels: "));
  const json found = ran.json();
  EXPECT_TRUE(found["judged_by"].is_null());
  EXPECT_FALSE(found["after"].contains("top1"));
  const json& last = found["recovered"]["steps"].back();
  EXPECT_LT(last["error_after"], 1);
}

TEST(Recover, no_images_is_by_the_model_alone) {
  const Compensating without, test;
  const Arguments none = joined(kDigits, {"--recover-images", "0"});
  ASSERT_EQ(coppice(test.prune("zoo:lenet5", "out.onnx", none)).code, 0);
  ASSERT_EQ(coppice(without.prune("zoo:lenet5", "out.onnx", {"--recover", "all"})).code, 0);
  const Ran same = coppice({"verify", test.dir / "out.onnx", without.dir / "out.onnx"});
  EXPECT_EQ(same.code, 0) << same.out << same.err;
}

TEST(Recover, a_plan_replayed_with_it_gives_the_same_bits) {
  const Compensating test;
  const Arguments recover = {"--recover", "merge,scale"};
  ASSERT_EQ(coppice(test.prune("zoo:resnet20", "out.onnx", recover)).code, 0);
  Arguments apply = {"apply", test.dir / "plan.json", "zoo:resnet20", "-o",
                     test.dir / "again.onnx"};
  ASSERT_EQ(coppice(apply).code, 0);
  EXPECT_EQ(read_text(test.dir / "again.onnx"), read_text(test.dir / "out.onnx"))
      << "what needs no images is done again unasked";
  ASSERT_EQ(coppice(joined(apply, {"--recover", "none"})).code, 0);
  EXPECT_NE(read_text(test.dir / "again.onnx"), read_text(test.dir / "out.onnx"));
  apply.insert(apply.end(), recover.begin(), recover.end());
  const Ran ran = coppice(apply);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("--recover merge,scale"));
  EXPECT_EQ(read_text(test.dir / "again.onnx"), read_text(test.dir / "out.onnx"));
}

TEST(Recover, a_trained_net_keeps_far_more_of_its_accuracy) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  const Compensating test;
  const std::string model = *data / "models/cifar10/resnet20.onnx", out = test.dir / "out.onnx";
  const Arguments cifar10 = {"--data", "cifar10:" + (*data / "cifar10").string(), "--preprocess",
                             "imagenet"};
  const auto top1 = [&] {
    const Ran ran = coppice(joined({"eval", out, "--limit", "500", "--json"}, cifar10));
    EXPECT_EQ(ran.code, 0) << ran.err;
    return 100 * ran.json()["top1"].get<double>();
  };
  const auto pruned = [&](const Arguments& more) {
    EXPECT_EQ(coppice(test.prune(model, "out.onnx", more)).code, 0);
    return top1();
  };
  // Over the 10,000 test images: 36.6 % without, 73.5 % with it, 80.1 % by images.
  const double without = pruned({"--recover", "none"});
  EXPECT_GT(pruned({"--recover", "all"}), without + 15);
  const Ran ran = coppice(
      joined({"apply", test.dir / "plan.json", model, "-o", out, "--recover", "all"}, cifar10));
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_GT(top1(), without + 30);
}

TEST(Recover, is_what_a_cut_without_training_does_unasked_and_says) {
  const TempDir dir;
  const Arguments prune = {"prune", "zoo:resnet20", "-o", dir / "small.onnx", "--latency", "off"};
  const Ran ran = coppice(prune);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("--recover none cuts alone"));
  EXPECT_THAT(ran.out, HasSubstr("--recover all"));
  const Ran verified = coppice(
      {"verify", "zoo:resnet20", dir / "small.onnx", "--plan", dir / "small.plan.json", "--json"});
  EXPECT_EQ(verified.json()["same_weights"], true) << "what needs no images is repeated";
  const Ran alone = coppice(joined(prune, {"--recover", "none", "--json"}));
  EXPECT_FALSE(alone.json().contains("recovered"));
  const Ran asked = coppice(joined(prune, {"--recover", "all"}));
  EXPECT_THAT(asked.err, testing::Not(HasSubstr("--recover none")));
}

}  // namespace
}  // namespace coppice
