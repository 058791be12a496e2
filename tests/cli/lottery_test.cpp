// Lottery tickets from the command line, with the real trainer: what is reported, what lies in the
// folder of tickets, and that masks hold.
#include <gmock/gmock.h>

#include <algorithm>

#include "cli/training_fixture.h"
#include "onnx/onnx.h"

namespace coppice {
namespace {

using nlohmann::json;
using testing::HasSubstr;

int64_t nonzero_weights(const std::filesystem::path& file) {
  int64_t count = 0;
  for (const Value& value : read_onnx(file).values) {
    if (!value.constant || value.constant->dtype() != DType::f32 || value.constant->rank() < 2)
      continue;
    const auto weights = value.constant->as<float>();
    count += std::ssize(weights) - std::ranges::count(weights, 0.0f);
  }
  return count;
}

class LotteryCommand : public Training {
 protected:
  Arguments lottery(const std::string& output, const Arguments& more) const {
    Arguments all = {"prune",        "zoo:lenet5", "--data",    data_,
                     "--preprocess", "mnist",      "--method",  "lottery",
                     "-o",           path(output), "--plan",    path(output + ".plan.json"),
                     "--latency",    "off",        "--batch",   "64",
                     "--epochs",     "2",          "--threads", "1",
                     "--seed",       "3",          "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

TEST_F(LotteryCommand, every_round_is_reported_and_its_nets_lie_in_the_folder) {
  const Ran ran = coppice(lottery("ticket.onnx", {"--rounds",
                                                  "2",
                                                  "--round-rate",
                                                  "0.5",
                                                  "--round-rate",
                                                  "fc2=0.25",
                                                  "--reinit",
                                                  "glorot-normal",
                                                  "--optimizer",
                                                  "adam",
                                                  "--judge-every",
                                                  "4",
                                                  "--tickets",
                                                  path("nets"),
                                                  "--ticket-control",
                                                  "random-mask",
                                                  "--ticket-control-rounds",
                                                  "2",
                                                  "--stability",
                                                  "3"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json found = ran.json();
  ASSERT_EQ(found["tickets"].size(), 5u);
  const json &dense = found["tickets"].front(), &ticket = found["tickets"].back();
  EXPECT_EQ(dense["weights"], 430'500);
  // Rounded layer by layer: 500, 25,000, 400,000 and 5,000.
  EXPECT_EQ(ticket["weights"], 125 + 6'250 + 100'000 + 2'812);
  EXPECT_EQ(ticket["net"], "ticket");
  EXPECT_LE(ticket["early_stop_loss"], ticket["end_loss"]);
  EXPECT_GT(found["judged"].size(), 5u * 3);
  EXPECT_EQ(found["path"].size(), 3u);
  EXPECT_GE(found["barrier"][0]["error"], 0);
  EXPECT_EQ(found["after"]["nonzeros"], ticket["weights"]);
  for (const json& row : found["tickets"]) {
    for (const char* when : {"-early.onnx", "-end.onnx"}) {
      const auto file =
          std::filesystem::path(path("nets")) / (row["file"].get<std::string>() + when);
      ASSERT_TRUE(std::filesystem::exists(file)) << file;
      EXPECT_EQ(nonzero_weights(file), row["weights"]) << file;
    }
  }
  const Ran judged = coppice({"eval", path("nets/round-02-end.onnx"), "--data", data_, "--json"});
  ASSERT_EQ(judged.code, 0) << judged.err;
  EXPECT_EQ(judged.json()["preprocess_from"], "metadata");
}

TEST_F(LotteryCommand, a_round_that_was_stopped_goes_on_to_the_same_net) {
  const Arguments how = {"--sparsity", "0.5", "--rounds", "1", "--rewind", "3it"};
  const Ran whole = coppice(lottery("whole.onnx", how));
  ASSERT_EQ(whole.code, 0) << whole.err;
  const Arguments parts = lottery("parts.onnx", how);
  const Ran killed = interrupt_coppice(parts, path("parts.run/checkpoint"), SIGKILL);
  EXPECT_EQ(killed.code, 128 + SIGKILL);
  const Ran again = coppice(resumed(parts));
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(read_text(path("whole.onnx")), read_text(path("parts.onnx")));
  EXPECT_EQ(whole.json()["tickets"], again.json()["tickets"]);
}

TEST_F(LotteryCommand, a_trained_model_is_no_beginning) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 3)).code, 0);
  const Arguments one = {"--method", "lottery", "--rounds", "1", "--epochs", "1"};
  const Ran warned = coppice(prune("t.onnx", one));
  ASSERT_EQ(warned.code, 0) << warned.err;
  EXPECT_THAT(warned.err, HasSubstr("--reinit net draws them anew"));
  Arguments of_rate = one;
  of_rate.insert(of_rate.end(), {"--rewind", "lr", "--trained"});
  const Ran rewound = coppice(prune("u.onnx", of_rate));
  ASSERT_EQ(rewound.code, 0) << rewound.err;
  EXPECT_THAT(rewound.err, testing::Not(HasSubstr("--reinit net")));
}

}  // namespace
}  // namespace coppice
