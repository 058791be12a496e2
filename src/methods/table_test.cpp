// What every entry of the table must be, whoever wrote it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "methods/method.h"
#include "methods/options/blocks.h"
#include "prune/scores/criterion.h"

namespace coppice {
namespace {

TEST(MethodTable, an_unknown_method_lists_the_known_ones) {
  try {
    find_method("magic");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    for (const Method& method : methods()) {
      EXPECT_NE(std::string(error.what()).find(method.name), std::string::npos);
    }
  }
}

TEST(MethodTable, every_criterion_is_a_method) {
  for (const Criterion& criterion : criteria()) {
    EXPECT_EQ(find_method(criterion.name).paper, criterion.paper);
  }
}

TEST(MethodTable, every_method_says_what_it_is_and_can_be_run) {
  std::set<std::string> names;
  for (const Method& method : methods()) {
    SCOPED_TRACE(method.name);
    EXPECT_TRUE(names.insert(method.name).second);
    EXPECT_FALSE(method.paper.empty() || method.about.empty() || method.needs.empty());
    EXPECT_TRUE(method.name == "random" || !method.differs.empty());
    EXPECT_TRUE(method.prune || method.train);
  }
}

TEST(MethodTable, options_have_one_meaning_each_and_defaults_that_they_accept) {
  std::map<std::string, const Option*> by_name;
  for (const Method& method : methods()) {
    SCOPED_TRACE(method.name);
    std::set<std::string> own;
    for (const OptionUse& use : options_of(method)) {
      SCOPED_TRACE(use.option->name());
      EXPECT_TRUE(own.insert(use.option->name()).second) << "twice in one list";
      EXPECT_EQ(by_name.try_emplace(use.option->name(), use.option).first->second, use.option);
      EXPECT_FALSE(use.help_text().empty());
      const std::string usual = use.usual.value_or(use.option->usual());
      const bool in_words = usual.find(' ') != std::string::npos;
      if (usual.empty() || in_words) continue;
      EXPECT_EQ(use.option->normal(usual), usual);
    }
  }
}

TEST(MethodTable, half_of_the_macs_is_the_budget_where_none_is_set) {
  const Method& method = find_method("l2");
  Settings settings(options_of(method));
  method.settle(settings);
  EXPECT_EQ(settings[kKeepMacs], 0.5);
  Settings other(options_of(method));
  other.set(kPruneRatio, "0.3");
  method.settle(other);
  EXPECT_FALSE(other.has(kKeepMacs));
  EXPECT_EQ(cutting_of(other, 0).budget.of, Budget::Of::ratio);
}

TEST(MethodTable, curves_of_sensitivity_and_their_use_belong_together) {
  const auto refused = [](const std::string& name, const Request& given) {
    const Method& method = find_method(name);
    Settings settings(options_of(method));
    for (const auto& [option, value] : given) {
      for (const OptionUse& use : settings.options()) {
        if (use.option->name() == option) settings.set(*use.option, value);
      }
    }
    try {
      method.settle(settings);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  const std::pair<std::string, std::string> by{"allocate", "sensitivity"},
      table{"sensitivity", "a"};
  using testing::HasSubstr;
  EXPECT_THAT(refused("l2", {by}), HasSubstr("needs --sensitivity FILE"));
  EXPECT_THAT(refused("l2", {table}), HasSubstr("is for --allocate sensitivity"));
  EXPECT_THAT(refused("l2", {by, table, {"scope", "layer"}}), HasSubstr("found --scope"));
  EXPECT_THAT(refused("l2", {by, table, {"layer-ratio", "c=0.5"}}), HasSubstr("--layer-ratio"));
  EXPECT_THAT(refused("taylor", {by, table, {"remove-units", "3"}}), HasSubstr("--allocate"));
  EXPECT_THAT(refused("channel-pruning", {by, table, {"share-by", "even"}}),
              HasSubstr("found --share-by"));
  for (const Method& method : methods()) {
    if (method.kind != Method::Kind::structured) continue;
    EXPECT_EQ(refused(method.name, {by, table}), "nothing") << method.name;
  }
}

TEST(MethodTable, a_structure_is_predefined_where_users_say_what_layers_lose_and_else_automatic) {
  const auto whose = [](const char* name, const Request& options) {
    const Method& method = find_method(name);
    Settings settings(options_of(method));
    for (const OptionUse& use : settings.options()) {
      for (const auto& [option, value] : options) {
        if (use.option->name() == option) settings.set(*use.option, value);
      }
    }
    return std::string(name_of(method.whose_structure(settings)));
  };
  EXPECT_EQ(whose("l1", {}), "predefined");
  EXPECT_EQ(whose("l1", {{"scope", "global"}}), "automatic");
  EXPECT_EQ(whose("l1", {{"greedy", "true"}}), "automatic");
  EXPECT_EQ(whose("l1", {{"allocate", "sensitivity"}}), "automatic");
  EXPECT_EQ(whose("bn-scale", {}), "automatic");
  EXPECT_EQ(whose("bn-scale", {{"layer-ratio", "conv=0.5"}}), "predefined");
  EXPECT_EQ(whose("slimming", {}), "automatic");
  EXPECT_EQ(whose("sfp", {}), "predefined");
  EXPECT_EQ(whose("taylor", {}), "automatic");
  EXPECT_EQ(whose("channel-pruning", {}), "automatic");
  EXPECT_EQ(whose("channel-pruning", {{"share-by", "even"}}), "predefined");
  EXPECT_EQ(whose("magnitude", {}), "automatic");
  EXPECT_EQ(whose("scratch-b", {}), "predefined");
  EXPECT_EQ(whose("scratch-b", {{"structure", "plan.json"}}), "given");
}

TEST(MethodTable, soft_pruning_makes_up_for_the_cut_unless_told_otherwise) {
  const Method& method = find_method("fpgm");
  const auto settled = [&](const char* recover) {
    Settings settings(options_of(method));
    for (const OptionUse& use : method.options) {
      if (use.option->name() == "soft") settings.set(*use.option, "true");
    }
    if (*recover != '\0') settings.set(kRecover, recover);
    EXPECT_TRUE(method.decides_in_training(settings));
    method.settle(settings);
    return settings[kRecover];
  };
  EXPECT_TRUE(settled("").merge);
  EXPECT_FALSE(settled("none").any());
  EXPECT_FALSE(method.decides_in_training(Settings(options_of(method))));
}

}  // namespace
}  // namespace coppice
