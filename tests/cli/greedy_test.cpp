// Greedy pruning and criteria of responses from the command line, with the real trainer.
#include <gmock/gmock.h>

#include "cli/training_fixture.h"

namespace coppice {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST_F(Training, channels_leave_one_by_one_until_the_budget_is_met) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 1)).code, 0);
  for (const Arguments& method : {Arguments{"--method", "taylor"},
                                  {"--method", "taylor-fo"},
                                  {"--method", "random", "--greedy"}}) {
    SCOPED_TRACE(method[1]);
    Arguments how = {"--keep-macs",      "0.5", "--updates", "2",
                     "--units-per-step", "4",   "--epochs",  "1",
                     "--round-to",       "1",   "--json"};
    how.insert(how.end(), method.begin(), method.end());
    const Ran ran = coppice(prune(method[1] + ".onnx", how));
    ASSERT_EQ(ran.code, 0) << ran.err;
    const json found = ran.json(), training = found["training"];
    EXPECT_LE(found["after"]["macs"].get<double>(), 0.5 * found["before"]["macs"].get<double>());
    EXPECT_GT(found["after"]["macs"].get<double>(), 0.4 * found["before"]["macs"].get<double>());
    EXPECT_GT(training["removed_channels"], 4);
    EXPECT_TRUE(training.contains("removing_between_ms"));
    EXPECT_EQ(training["history"].back()["stage"], "fine-tuning");
  }
}

TEST_F(Training, channels_that_leave_one_by_one_leave_widths_that_the_runtime_likes) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 1)).code, 0);
  const Ran ran =
      coppice(prune("round.onnx", {"--method", "taylor", "--keep-macs", "0.5", "--updates", "1",
                                   "--units-per-step", "8", "--for", "onnxruntime-avx2", "--epochs",
                                   "1", "--tune-epochs", "0", "--json"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json found = ran.json();
  EXPECT_LE(found["after"]["macs"].get<double>(), 0.5 * found["before"]["macs"].get<double>());
  EXPECT_THAT(ran.err, testing::Not(HasSubstr("leave its fast kernels")));
  for (const json& group : found["groups"]) {
    const int64_t before = group["before"], after = group["after"];
    EXPECT_TRUE(after == before || after % 8 == 0) << group;
  }
}

TEST_F(Training, criteria_of_responses_need_none) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 1)).code, 0);
  for (const char* method : {"mean-activation", "std-activation", "apoz", "mutual-information"}) {
    SCOPED_TRACE(method);
    const Ran ran = coppice({"prune", path("lenet5.onnx"), "--data", data_, "-o",
                             path(std::string(method) + ".onnx"), "--method", method, "--images",
                             "64", "--latency", "off", "--json"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.json()["images"], 64);
  }
}

TEST_F(Training, taylor_says_what_it_lacks) {
  const Ran ran = coppice(prune("none.onnx", {"--method", "taylor"}));
  EXPECT_NE(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("--method taylor trains: add --data SPEC and --epochs N"));
}

}  // namespace
}  // namespace coppice
