// `coppice compare`, and soft filter pruning as the papers have it, as a user runs them.
#include <gmock/gmock.h>

#include <filesystem>

#include "cli/training_fixture.h"

namespace coppice {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Compare : public Training {
 protected:
  Arguments compare(const Arguments& more) const {
    Arguments all = {
        "compare", path("lenet5.onnx"), "--data", data_,       "-o", path("compared"), "--epochs",
        "1",       "--batch",           "64",     "--threads", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

TEST_F(Compare, prints_one_table_and_keeps_it_as_json) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 2)).code, 0);
  const Ran ran = coppice(compare({"--methods", "l2,bn-scale,sfp", "--repeat", "2"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const char* part : {"method", "(original)", "l2", "sfp", "random", "scratch-e (as l2)",
                           " +- ", "bn-scale can't: ", "wrote "}) {
    EXPECT_THAT(ran.out, HasSubstr(part));
  }
  EXPECT_THAT(ran.err, HasSubstr("run 1 of 10: l2, seed 0"));
  const json table = json::parse(read_text(path("compared/compare.json")));
  ASSERT_EQ(table["rows"].size(), 5u);
  const json& l2 = table["rows"][0];
  EXPECT_EQ(l2["runs"].size(), 2u);
  EXPECT_GT(l2["mean"]["judged"], 0.5);
  EXPECT_TRUE(l2["runs"][0]["latency_ms"].is_number());
  EXPECT_TRUE(l2["runs"][1]["latency_ms"].is_null()) << "measured once";
  const Ran again = coppice(compare({"--methods", "l2,bn-scale,sfp", "--repeat", "2", "--json"}));
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("done before"));
  EXPECT_EQ(again.json()["rows"], table["rows"]);
}

TEST_F(Compare, a_pruning_prints_its_controls_beside_it) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 2)).code, 0);
  const Arguments how = {
      "--epochs",         "1", "--keep-macs",  "0.5", "--control", "scratch-b,random,lr-rewind",
      "--control-epochs", "2", "--control-lr", "0.02"};
  const Ran ran = coppice(prune("small.onnx", how));
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const char* part :
       {"pruned by", "(original)", "l2  ", "scratch-b", "random", "lr-rewind", "rate", "0.02"}) {
    EXPECT_THAT(ran.out, HasSubstr(part));
  }
  EXPECT_THAT(ran.err, HasSubstr("control 2 of 3: random"));
  Arguments finished = prune("small.onnx", how);
  finished.push_back("--resume");
  EXPECT_THAT(coppice(finished).err, HasSubstr("is finished after 1 epoch"));
  Arguments again = prune("same.onnx", how);
  again.push_back("--json");
  const Ran more = coppice(again);
  ASSERT_EQ(more.code, 0) << more.err;
  const json rows = more.json()["controls"];
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[1]["name"], "scratch-b");
  EXPECT_GE(rows[1]["epochs"], 4) << "half of the computation, so twice the epochs";
  EXPECT_EQ(rows[3]["epochs"], 2);
}

TEST_F(Compare, killed_in_a_run_goes_on_with_the_same_command) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 2)).code, 0);
  const Arguments how = {"--methods", "asfp", "--controls",    "none",
                         "--latency", "off",  "--bn-constant", "zero"};
  const auto with_epochs = [&](const std::string& folder) {
    Arguments all = compare(how);
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i] == "--epochs") all[i + 1] = "12";
      if (all[i] == "-o") all[i + 1] = path(folder);
    }
    return all;
  };
  ASSERT_EQ(coppice(with_epochs("whole")).code, 0);
  const Ran killed =
      interrupt_coppice(with_epochs("parts"), path("parts/asfp-seed0/run/checkpoint"), SIGKILL);
  EXPECT_EQ(killed.code, 128 + SIGKILL);
  const Ran again = coppice(with_epochs("parts"));
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("going on from epoch"));
  EXPECT_EQ(sha256_of_file(path("whole/asfp-seed0/model.onnx")),
            sha256_of_file(path("parts/asfp-seed0/model.onnx")));
}

TEST_F(Compare, refuses_what_cannot_be_compared_before_it_runs) {
  ASSERT_EQ(coppice({"zoo", "lenet5", "-o", path("lenet5.onnx")}).code, 0);
  EXPECT_TRUE(fails(coppice(compare({"--methods", "magnitude"})), 2, "doesn't cut channels"));
  EXPECT_TRUE(fails(coppice(compare({"--methods", "l2", "--lambda", "1"})), 2, "--lambda"));
  EXPECT_TRUE(fails(coppice({"compare", path("lenet5.onnx"), "-o", path("c"), "--epochs", "1"}), 2,
                    "--data"));
  EXPECT_FALSE(std::filesystem::exists(path("compared")));
}

TEST_F(Compare, soft_filter_pruning_tells_of_every_zeroing) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 2)).code, 0);
  const Ran ran = coppice(prune("sfp.onnx", {"--method", "sfp", "--prune-ratio", "0.3",
                                             "--round-to", "1", "--epochs", "3", "--json"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json found = ran.json(), &history = found["training"]["history"];
  ASSERT_EQ(history.size(), 3u);
  for (const json& epoch : history) {
    EXPECT_TRUE(epoch.contains("held_out") && epoch.contains("held_out_after"));
    EXPECT_GT(epoch["zeroed_filters"], 0);
    EXPECT_GT(epoch["revived_filters"], 0) << "filters come back";
    EXPECT_GE(epoch["rechosen_share"], 0);
  }
  EXPECT_TRUE(found["training"]["stages"][0].contains("held_out_top1_before"));
  EXPECT_GE(found["zeroed_filters"]["difference"], 0);
  EXPECT_EQ(found["verified"], true);
  EXPECT_THAT(read_text(path("sfp.run") + "/metrics.jsonl"), HasSubstr("\"revived_filters\""));
}

TEST_F(Compare, half_cut_lenet_says_what_zeroed_filters_alone_would_be) {
  ASSERT_EQ(coppice(train("lenet5.onnx", 2)).code, 0);
  const Ran ran = coppice({"prune", path("lenet5.onnx"), "-o", path("half.onnx"), "--plan",
                           path("half.plan.json"), "--latency", "off", "--keep-macs", "0.5"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("zeroing filters alone would differ by")) << "by their biases";
}

}  // namespace
}  // namespace coppice
