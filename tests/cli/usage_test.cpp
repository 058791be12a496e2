// Wrong command lines: exit code 2, one line that says what to do, and nothing written.
#include <gtest/gtest.h>

#include "cli/program.h"
#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

struct Mistake {
  const char* name;
  Arguments arguments;  // OUT and PACKED stand for files in the test's folder
  const char* message;
};

void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

class Usage : public testing::TestWithParam<Mistake> {};

TEST_P(Usage, mistake_is_named_and_nothing_is_written) {
  const TempDir dir;
  Arguments arguments = GetParam().arguments;
  for (std::string& argument : arguments) {
    if (argument == "OUT") argument = dir / "out.onnx";
    if (argument == "PACKED") argument = dir / "out.coppice";
  }
  EXPECT_TRUE(fails(coppice(arguments), 2, GetParam().message));
  EXPECT_EQ(names_in(dir.path()), std::set<std::string>{});
}

Arguments prune(const Arguments& more) {
  Arguments arguments = {"prune", "zoo:lenet5", "-o", "OUT"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

INSTANTIATE_TEST_SUITE_P(
    Cli, Usage,
    testing::Values(
        Mistake{"no_command", {}, "coppice --help"},
        Mistake{"rate_of_nothing",
                {"compress", "zoo:lenet5", "-o", "PACKED", "--bits", "4", "--share-lr", "0"},
                "--share-lr 0: expected a number above 0"},
        Mistake{"rate_below_nothing",
                {"train", "zoo:lenet5", "-o", "OUT", "--data", "digits", "--lr", "-1"},
                "--lr -1: expected a number above 0"},
        Mistake{"unknown_command", {"prun"}, "unknown command 'prun', expected one of inspect"},
        Mistake{"unknown_option", {"inspect", "zoo:lenet5", "--fast"}, "--fast"},
        Mistake{"no_model", {"inspect"}, "MODEL is required"},
        Mistake{"two_models", {"inspect", "zoo:lenet5", "zoo:resnet20"}, "zoo:resnet20"},
        Mistake{"no_output", {"prune", "zoo:lenet5"}, "--output is required"},
        Mistake{"unknown_zoo", {"inspect", "zoo:lenet6"}, "'lenet6'"},
        Mistake{"zoo_without_output", {"zoo", "lenet5"}, "give -o FILE"},
        Mistake{"zoo_without_name", {"zoo", "-o", "OUT"}, "needs the name"},
        Mistake{"zoo_unknown", {"zoo", "lenet6", "-o", "OUT"}, "'lenet6'"},
        Mistake{"unknown_method", prune({"--method", "l3"}),
                "unknown method 'l3', expected one of"},
        Mistake{"keep_0", prune({"--keep-macs", "0"}), "--keep-macs 0: expected a number above 0"},
        Mistake{"keep_1", prune({"--keep-macs", "1"}), "nothing to remove"},
        Mistake{"keep_1_5", prune({"--keep-macs", "1.5"}), "--keep-macs 1.5"},
        Mistake{"keep_negative", prune({"--keep-params", "-0.5"}), "--keep-params -0.5"},
        Mistake{"keep_nan", prune({"--keep-params", "nan"}), "--keep-params nan"},
        Mistake{"keep_word", prune({"--keep-macs", "half"}),
                "--keep-macs half: expected a number above 0 and below 1"},
        Mistake{"ratio_0", prune({"--prune-ratio", "0"}), "--prune-ratio 0"},
        Mistake{"ratio_1", prune({"--prune-ratio", "1"}), "nothing left"},
        Mistake{"two_budgets", prune({"--keep-macs", "0.5", "--prune-ratio", "0.5"}),
                "found 2 budgets"},
        Mistake{"ratio_of_a_layer_and_macs",
                prune({"--layer-ratio", "conv1=0.5", "--keep-macs", "0.5"}),
                "found --keep-macs beside it; leave one of them out"},
        Mistake{"ratio_of_a_layer_1", prune({"--layer-ratio", "conv1=1"}),
                "--layer-ratio 'conv1=1': expected a regular expression, =, and a share"},
        Mistake{"ratio_of_no_layer", prune({"--layer-ratio", "nowhere=0.5"}), "matches no group"},
        Mistake{"milestones_of_cosine",
                {"train", "zoo:lenet5", "-o", "OUT", "--data", "digits", "--milestones", "0.5"},
                "--milestones is for --schedule step"},
        Mistake{"momentum_of_adam",
                {"train", "zoo:lenet5", "-o", "OUT", "--data", "digits", "--optimizer", "adam",
                 "--momentum", "0.5"},
                "--momentum is for --optimizer sgd, found adam"},
        Mistake{"decay_of_shared_values",
                {"compress", "zoo:lenet5", "-o", "PACKED", "--bits", "4", "--data", "digits",
                 "--decay", "all"},
                "--decay has no meaning here"},
        Mistake{"bits_none_of_compress",
                {"compress", "zoo:lenet5", "-o", "PACKED", "--bits", "none"},
                "--bits none shares nothing"},
        Mistake{
            "percent", {"prune", "zoo:lenet5", "-o", "OUT", "--keep-macs", "50%"}, "50% is 0.5"},
        Mistake{"slip_in_an_option",
                {"prune", "zoo:lenet5", "-o", "OUT", "--keep-mac", "0.5"},
                "prune: no option '--keep-mac'; did you mean '--keep-macs'?"},
        Mistake{"slip_in_a_command", {"prnue", "zoo:lenet5"}, "did you mean 'prune'?"},
        Mistake{"slip_in_a_method",
                {"prune", "zoo:lenet5", "-o", "OUT", "--method", "fpmg"},
                "did you mean 'fpgm'?"},
        Mistake{"slip_in_a_net", {"inspect", "zoo:lenet-5"}, "did you mean 'lenet5'?"},
        Mistake{"one_argument_too_many",
                {"prune", "zoo:lenet5", "more", "-o", "OUT"},
                "unexpected argument 'more'"},
        Mistake{"packed_as_onnx", {"compress", "zoo:lenet5", "-o", "OUT"}, "a .coppice file"},
        Mistake{"model_as_container", {"zoo", "lenet5", "-o", "PACKED"}, "a .onnx file"},
        Mistake{"model_to_standard_output",
                {"prune", "zoo:lenet5", "-o", "-"},
                "there is no writing to standard output"},
        Mistake{"plan_and_model_swapped",
                {"apply", "model.onnx", "plan.json", "-o", "OUT"},
                "the plan comes before the model: coppice apply plan.json model.onnx"},
        Mistake{"falling_milestones",
                {"train", "zoo:lenet5", "-o", "OUT", "--data", "digits", "--schedule", "step",
                 "--milestones", "0.5,0.3"},
                "--milestones '0.5,0.3': expected rising shares"},
        Mistake{"no_value", prune({"--plan", "--quiet"}),
                "--plan: expected a value, found the option --quiet"},
        Mistake{"round_to_0", prune({"--round-to", "0"}), "--round-to '0'"},
        Mistake{"round_to_word", prune({"--round-to", "even"}), "expected auto or a width"},
        Mistake{
            "sparsity_of_channels", prune({"--sparsity", "0.9"}),
            "--sparsity is for --method magnitude, deep-compression, dsd, lottery, gradual, rigl, "
            "snip, grasp or synflow, found "
            "--method "
            "l2"},
        Mistake{
            "recover_of_a_typo", prune({"--recover", "bias,merg"}),
            "--recover 'bias,merg': expected all, none, or some of bias, merge, scale, basis, ls, "
            "bn and distill"},
        Mistake{"distilling_from_nothing", prune({"--recover", "distill"}),
                "--recover distill: the original is followed on images; add --data"},
        Mistake{"distilling_with_labels",
                prune({"--data", "digits", "--recover", "distill", "--distill", "0.5"}),
                "found --distill 0.5"},
        Mistake{"recover_by_least_squares_of_nothing", prune({"--recover", "bias,ls"}),
                "--recover: basis, ls and bn are fitted to images; add --data"},
        Mistake{"recover_by_least_squares_of_no_images",
                prune({"--data", "digits", "--recover", "ls", "--recover-images", "0"}),
                "found --recover-images 0; leave it out"},
        Mistake{"recover_nothing", prune({"--recover", "bias,"}), "--recover 'bias,'"},
        Mistake{"recover_by_images_of_nothing",
                prune({"--recover", "all", "--recover-images", "9"}),
                "--recover-images 9: images need --data"},
        Mistake{"images_for_nothing",
                prune({"--data", "digits", "--recover", "none", "--recover-images", "9"}),
                "--recover-images 9: nothing is recovered; add --recover all"},
        Mistake{"data_that_apply_does_not_look_at",
                {"apply", "plan.json", "zoo:lenet5", "-o", "OUT", "--data", "digits"},
                "--data is for what --recover looks at; add --recover all"},
        Mistake{"recover_weights",
                prune({"--method", "magnitude", "--sparsity", "0.5", "--recover", "bias"}),
                "random-search or random-structure, found --method magnitude"},
        Mistake{"unknown_scope_of_channels", prune({"--scope", "net"}),
                "--scope 'net': expected layer or global"},
        Mistake{"layer_ratio_1", prune({"--max-layer-ratio", "1"}), "nothing left"},
        Mistake{"layer_ratio_of_weights",
                prune({"--method", "magnitude", "--sparsity", "0.5", "--max-layer-ratio", "0.5"}),
                "--max-layer-ratio is for a method that cuts channels, found --method magnitude"},
        Mistake{"unknown_aggregate", prune({"--aggregate", "median"}),
                "--aggregate 'median': expected mean, max, sum or first"},
        Mistake{"aggregate_of_random", prune({"--method", "random", "--aggregate", "max"}),
                "is for --method"},
        Mistake{"norm_share_of_l2", prune({"--norm-share", "0.25"}), "is for --method fpgm"},
        Mistake{"lambda_of_fpgm", prune({"--method", "fpgm", "--lambda", "1e-3"}),
                "is for --method slimming"},
        Mistake{"lambda_below_0", prune({"--method", "slimming", "--lambda", "-1"}), "--lambda"},
        Mistake{
            "tune_of_l2", prune({"--tune-epochs", "2"}),
            "--tune-epochs is for training after a cut that is made while training; add --soft"},
        Mistake{"rounds_of_l2", prune({"--rounds", "2"}),
                "is for --method slimming, deep-compression, dsd, lottery or synflow"},
        Mistake{"sparsity_beside_a_budget_of_time",
                prune({"--method", "magnitude", "--sparsity", "0.5", "--keep-latency", "0.5"}),
                "--keep-latency finds how many weights of each layer leave, found --sparsity"},
        Mistake{"time_of_greedy_pruning", prune({"--method", "taylor", "--keep-latency", "0.5"}),
                "--keep-latency is for"},
        Mistake{"soft_magnitude", prune({"--method", "magnitude", "--sparsity", "0.5", "--soft"}),
                "or random, found --method magnitude"},
        Mistake{"soft_without_training", prune({"--soft"}), "add --data SPEC and --epochs N"},
        Mistake{"slimming_without_training", prune({"--method", "slimming"}),
                "--method slimming trains: add --data SPEC"},
        Mistake{"scope_of_dsd", prune({"--method", "dsd", "--scope", "layer"}),
                "magnitude, deep-compression, lottery, gradual, snip, grasp or synflow, found "
                "--method dsd"},
        Mistake{"macs_of_dsd", prune({"--method", "dsd", "--keep-macs", "0.5"}),
                "--keep-macs is for a method that cuts channels, found --method dsd"},
        Mistake{"why_and_norms",
                {"inspect", "zoo:lenet5", "--why", "conv1", "--norms"},
                "two questions"},
        Mistake{"macs_of_weights",
                prune({"--method", "magnitude", "--keep-macs", "0.5", "--keep-spine"}),
                "--keep-macs is for a method that cuts channels, found --method magnitude"},
        Mistake{"no_sparsity", prune({"--method", "magnitude"}), "--sparsity is missing"},
        Mistake{"sparsity_0", prune({"--method", "magnitude", "--sparsity", "0"}),
                "nothing to zero"},
        Mistake{"sparsity_1", prune({"--method", "magnitude", "--sparsity", "1"}), "nothing left"},
        Mistake{"sparsity_90", prune({"--method", "magnitude", "--sparsity", "90"}),
                "--sparsity 90: expected a number above 0 and below 1"},
        Mistake{"unknown_scope",
                prune({"--method", "magnitude", "--sparsity", "0.5", "--scope", "net"}),
                "--scope 'net': expected layer or global"},
        Mistake{
            "keep_matches_nothing", prune({"--keep", "no_such_layer"}),
            "--keep 'no_such_layer' matches no group; 'coppice inspect' lists the names of groups "
            "and layers"},
        Mistake{"keep_is_no_regex", prune({"--keep", "["}), "--keep '[' is no regular expression"},
        Mistake{"verify_maybe", prune({"--verify", "maybe"}), "expected on or off"},
        Mistake{"threads_0", prune({"--threads", "0"}), "--threads"},
        Mistake{"unknown_preset", prune({"--preprocess", "imagnet"}), "imagnet"},
        Mistake{"plan_is_output", prune({"--plan", "OUT"}), "is also an input"},
        Mistake{"no_data", {"eval", "zoo:lenet5"}, "--data is required"},
        Mistake{"unknown_data", {"eval", "zoo:lenet5", "--data", "cifar:x"}, "cifar10:DIR"},
        Mistake{"bad_preprocess",
                {"eval", "zoo:lenet5", "--data", "digits", "--preprocess", "men=1"},
                "men"},
        Mistake{"limit_0", {"eval", "zoo:lenet5", "--data", "digits", "--limit", "0"}, "--limit"},
        Mistake{"batch_0", {"bench", "zoo:lenet5", "--batch", "0"}, "--batch"}),
    [](const auto& mistake) { return mistake.param.name; });

TEST(UsageOfFiles, the_output_must_not_be_the_model) {
  const TempDir dir;
  const std::string model = dir / "model.onnx";
  ASSERT_EQ(coppice({"zoo", "lenet5", "-o", model}).code, 0);
  const std::string before = sha256_of_file(model);
  std::filesystem::create_symlink(model, dir / "link.onnx");
  for (const std::string& output : std::vector<std::string>{
           model, (dir / "." / "model.onnx").string(), (dir / "link.onnx").string()}) {
    EXPECT_TRUE(fails(coppice({"prune", model, "-o", output}), 2, "is also an input"));
    EXPECT_TRUE(fails(coppice({"prune", model, "-o", dir / "o.onnx", "--plan", output}), 2,
                      "is also an input"));
  }
  EXPECT_EQ(sha256_of_file(model), before);
  EXPECT_EQ(names_in(dir.path()), (std::set<std::string>{"link.onnx", "model.onnx"}));
}

TEST(UsageOfFiles, a_run_that_never_began_leaves_no_run_folder) {
  const TempDir dir;
  for (const Arguments& more :
       std::vector<Arguments>{{"--data", "nosuch:x"},
                              {"--data", "digits", "--label-offset", "5"},
                              {"--data", "digits", "--method", "slimming"}}) {
    Arguments arguments = {"prune", "zoo:lenet5", "-o", dir / "out.onnx", "--epochs", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_NE(coppice(arguments).code, 0);
    EXPECT_EQ(names_in(dir.path()), std::set<std::string>{}) << more.back();
  }
}

TEST(UsageOfFiles, a_config_file_with_an_unknown_key_is_refused) {
  const TempDir dir;
  write_text(dir / "options.toml", "keep-mac = 0.5\n");
  EXPECT_TRUE(fails(
      coppice({"prune", "zoo:lenet5", "-o", dir / "out.onnx", "--config", dir / "options.toml"}), 2,
      "keep-mac"));
  EXPECT_TRUE(
      fails(coppice({"prune", "zoo:lenet5", "-o", dir / "out.onnx", "--config", dir / "none.toml"}),
            3, "none.toml"));
  EXPECT_EQ(names_in(dir.path()), std::set<std::string>{"options.toml"});
}

TEST(UsageOfFiles, a_batch_other_than_the_fixed_one_is_refused) {
  const TempDir dir;
  EXPECT_TRUE(fails(coppice({"bench", "zoo:lenet5", "--batch", "2000000"}), 2, "--batch"));
}

TEST(Help, is_given_for_a_command_either_way) {
  EXPECT_EQ(coppice({"help", "prune"}).out, coppice({"prune", "--help"}).out);
  EXPECT_EQ(coppice({"-V"}).out, coppice({"--version"}).out);
}

TEST(Json, has_errors_too_and_nothing_but_remarks_beside_it) {
  const Ran failed = coppice({"inspect", "zoo:nothing", "--json"});
  EXPECT_TRUE(fails(failed, 2, "no zoo model 'nothing'"));
  EXPECT_EQ(failed.json()["error"]["kind"], "usage");
  const Ran ran = coppice({"inspect", "zoo:lenet5", "--json"});
  EXPECT_EQ(ran.json()["model"], "zoo:lenet5");
  EXPECT_EQ(ran.err, "");
}

TEST(Timings, say_how_long_each_pass_took_and_one_can_be_left_out) {
  const TempDir dir;
  Arguments arguments = {"prune", "zoo:lenet5", "-o",     dir / "out.onnx", "--latency",
                         "off",   "--simplify", "--json", "--timings"};
  const nlohmann::json timings = coppice(arguments).json()["timings"];
  EXPECT_GE(timings["separate-vectors"]["runs"], 1);
  EXPECT_GE(timings["remove-no-ops"]["runs"], 1);
  arguments.insert(arguments.end(), {"--skip-pass", "separate-vectors"});
  const nlohmann::json fewer = coppice(arguments).json()["timings"];
  EXPECT_FALSE(fewer.contains("separate-vectors"));
  EXPECT_TRUE(fewer.contains("remove-no-ops"));
  arguments.back() = "separate";
  EXPECT_TRUE(fails(coppice(arguments), 2, "no pass 'separate' to skip, expected some of"));
}

}  // namespace
}  // namespace coppice
