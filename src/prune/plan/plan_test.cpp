// Plans: what a cut was, written down, read back, and replayed on the model.

#include "prune/plan/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/error.h"
#include "core/random.h"
#include "graph/passes/loosen.h"
#include "graph/passes/separate_vectors.h"
#include "groups/cut/surgery.h"
#include "onnx/onnx.h"
#include "support/graphs/text_graph.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

constexpr char kNet[] = R"(
    input x float32 [N, 3, 4, 4]
    const w1 float32 [4, 3, 1, 1] random
    const by float32 [4, 1, 1] positive
    const w2 float32 [5, 4, 1, 1] random
    const w3 float32 [2, 5, 1, 1] random
    a = Conv(x, w1)
    b = Div(a, by)
    c = Conv(b, w2)
    y = Conv(c, w3)
    output y)";

std::string written(const Graph& graph) {
  std::string bytes;
  serialise_onnx(graph, [&](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return bytes;
}

Removal random_removal(const Groups& groups, uint64_t seed) {
  Removal removal(groups.unit_count, 0);
  Random random(seed);
  for (const Group& group : groups.free) {  // one unit at least stays in each
    for (int64_t u = 1; u < group.units(); ++u) {
      removal[group.first_unit + u] = random.below(2) == 0;
    }
  }
  return removal;
}

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    return error.what();
  }
  return "(no error)";
}

Plan small_plan() {
  const Graph graph = parse_text_graph(kNet);
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0);
  removal[1] = removal[4] = 1;
  Plan plan = plan_of(graph, groups, removal);
  plan.model_file = "net.onnx";
  plan.model_sha256 = "abc";
  plan.method = "l1";
  return plan;
}

TEST(Plan, names_every_tensor_axis_and_what_stays) {
  const Plan plan = small_plan();
  const std::vector<PlanSlice> expected{{"w1", 0, 4, {0, 2, 3}, 0},
                                        {"by", 0, 4, {0, 2, 3}, 1},
                                        {"w2", 0, 5, {1, 2, 3, 4}, 0},
                                        {"w2", 1, 4, {0, 2, 3}, 0},
                                        {"w3", 1, 5, {1, 2, 3, 4}, 0}};
  EXPECT_EQ(plan.slices, expected);
}

TEST(Plan, survives_its_journey_through_json) {
  const Plan plan = small_plan();
  EXPECT_EQ(plan_from_json(to_json(plan)), plan);
  EXPECT_EQ(plan_from_json(to_json(Plan{})), Plan{});
  Plan found;
  found.structure = "automatic";
  EXPECT_EQ(plan_from_json(to_json(found)), found);
}

TEST(Plan, the_json_says_what_a_reader_of_the_manual_expects) {
  Plan plan = small_plan();
  plan.slices.resize(2);
  EXPECT_EQ(to_json(plan), R"({"model":{"file":"net.onnx","sha256":"abc"},"method":"l1","slices":[)"
                           R"({"tensor":"w1","axis":0,"size":4,"keep":[0,2,3]},)"
                           R"({"tensor":"by","axis":0,"size":4,"keep":[0,2,3],"fill":1.0}]})"
                           "\n");
}

TEST(Plan, an_index_nested_deeper_than_the_stack_is_refused) {
  const std::string deep(200000, '['), end(200000, ']');
  EXPECT_EQ(message_of([&] {
              plan_from_json(R"({"model":{"file":"","sha256":""},"method":"",)"
                             R"("slices":[{"tensor":"w","axis":)" +
                             deep + end + "}]}");
            }),
            "not a plan that coppice wrote: 'axis' is array, expected an integer");
}

TEST(Plan, replayed_it_gives_the_same_graph_byte_for_byte) {
  for (const char* name : {"lenet5", "resnet20", "mobilenetv2"}) {
    SCOPED_TRACE(name);
    const Graph graph = build_zoo_model(name, 1);
    const Groups groups = find_groups(graph);
    const Removal removal = random_removal(groups, 5);
    Graph cut = graph, replayed = graph;
    remove_units(cut, groups, removal);
    const Plan plan = plan_from_json(to_json(plan_of(graph, groups, removal)));
    EXPECT_EQ(removal_of(graph, groups, plan), removal);
    remove_units(replayed, groups, removal_of(graph, groups, plan));
    EXPECT_EQ(written(cut), written(replayed));
  }
}

// Two layers that share nothing but a vector that an exporter merged.
constexpr char kMerged[] = R"(
  input x float32 [N, 2, 4, 4]
  const w1 float32 [3, 2, 1, 1] random
  const ones float32 [3] ones
  const w2 float32 [3, 3, 1, 1] random
  const w3 float32 [2, 3, 1, 1] random
  a = Conv(x, w1)
  b = BatchNormalization(a, ones, ones, ones, ones)
  c = Conv(b, w2)
  d = BatchNormalization(c, ones, ones, ones, ones)
  y = Conv(d, w3)
  output y)";

struct MergedCut {
  Graph graph = parse_text_graph(kMerged);
  Groups groups;
  Removal removal;
  explicit MergedCut(const std::vector<int32_t>& units) {
    loosen(graph);
    groups = find_groups(graph);
    removal.resize(groups.unit_count, 0);
    for (const int32_t unit : units) removal[unit] = 1;
  }
};

TEST(Plan, a_merged_vector_is_named_by_its_uses_where_they_lose_different_indices) {
  const MergedCut cut({0, 4});
  const Plan plan = plan_of(cut.graph, cut.groups, cut.removal);
  std::vector<std::string> uses;
  for (const PlanSlice& slice : plan.slices) {
    if (slice.tensor != "ones") continue;
    ASSERT_TRUE(slice.use);
    uses.push_back(slice.use->node + "." + std::to_string(slice.use->input) + "-" +
                   std::to_string(slice.keep.front()));
  }
  EXPECT_EQ(uses, (std::vector<std::string>{"b.1-1", "b.2-1", "b.3-1", "b.4-1", "d.1-0", "d.2-0",
                                            "d.3-0", "d.4-0"}));
  EXPECT_EQ(plan_from_json(to_json(plan)), plan);
  EXPECT_EQ(removal_of(cut.graph, cut.groups, plan), cut.removal);
}

TEST(Plan, a_merged_vector_is_named_once_where_all_uses_lose_the_same) {
  const MergedCut cut({1, 4});
  const Plan plan = plan_of(cut.graph, cut.groups, cut.removal);
  EXPECT_EQ(std::ranges::count_if(plan.slices,
                                  [](const PlanSlice& slice) { return slice.tensor == "ones"; }),
            1);
  EXPECT_EQ(removal_of(cut.graph, cut.groups, plan), cut.removal);
  Graph graph = cut.graph;
  remove_units(graph, cut.groups, cut.removal);
  merge_copies(graph);
  EXPECT_EQ(std::ranges::count_if(graph.values, [](const Value& v) { return bool(v.constant); }),
            4);
}

TEST(Plan, a_use_that_the_model_does_not_have_is_refused) {
  const MergedCut cut({0, 4});
  Plan plan = plan_of(cut.graph, cut.groups, cut.removal);
  for (PlanSlice& slice : plan.slices) {
    if (slice.use) slice.use->node = "nobody";
  }
  EXPECT_NE(message_of([&] { removal_of(cut.graph, cut.groups, plan); }).find("'nobody'"),
            std::string::npos);
}

TEST(Plan, a_plan_of_nothing_removes_nothing) {
  const Graph graph = parse_text_graph(kNet);
  const Groups groups = find_groups(graph);
  EXPECT_EQ(removal_of(graph, groups, Plan{}), Removal(groups.unit_count, 0));
}

TEST(Plan, another_models_plan_is_refused_with_the_tensors_name) {
  const Graph other = parse_text_graph(R"(
      input x float32 [N, 3, 4, 4]
      const w1 float32 [6, 3, 1, 1] random
      const w2 float32 [2, 6, 1, 1] random
      a = Conv(x, w1)
      y = Conv(a, w2)
      output y)");
  EXPECT_EQ(message_of([&] { removal_of(other, find_groups(other), small_plan()); }),
            "plan: tensor 'w1', axis 0: the plan expects size 4, the model's tensor has shape "
            "6x3x1x1; is this another model's plan?");
  Plan renamed = small_plan();
  renamed.slices[0].tensor = "gone";
  const Graph graph = parse_text_graph(kNet);
  EXPECT_NE(message_of([&] {
              removal_of(graph, find_groups(graph), renamed);
            }).find("tensor 'gone', axis 0: the model has no such tensor"),
            std::string::npos);
}

TEST(Plan, indices_that_the_models_ties_keep_are_refused) {
  const Graph graph = parse_text_graph(kNet);
  const Groups groups = find_groups(graph);
  Plan torn = small_plan();
  torn.slices[3].keep = {1, 2, 3};  // w2's input 0 leaves, but w1's filter 1
  EXPECT_NE(message_of([&] { removal_of(graph, groups, torn); }).find("can't leave this model"),
            std::string::npos);
  Plan pinned = small_plan();
  pinned.slices.push_back({"w3", 0, 2, {0}, 0});  // an output of the model
  EXPECT_NE(message_of([&] { removal_of(graph, groups, pinned); }).find("tensor 'w3', axis 0"),
            std::string::npos);
}

TEST(Plan, a_tensor_listed_twice_is_refused) {
  const Graph graph = parse_text_graph(kNet);
  Plan plan = small_plan();
  plan.slices.insert(plan.slices.begin(), plan.slices[0]);
  plan.slices[0].keep = {0, 1};
  EXPECT_NE(message_of([&] {
              removal_of(graph, find_groups(graph), plan);
            }).find("plan: tensor 'w1', axis 0: is listed twice"),
            std::string::npos);
}

TEST(Plan, an_index_outside_the_axis_is_refused) {
  const Graph graph = parse_text_graph(kNet);
  Plan plan = small_plan();
  plan.slices[0].keep = {0, 2, 4};
  EXPECT_NE(message_of([&] {
              removal_of(graph, find_groups(graph), plan);
            }).find("keeps index 4, expected 0 to 3"),
            std::string::npos);
}

TEST(Plan, json_cut_short_anywhere_is_an_input_error) {
  const std::string text = to_json(small_plan());
  for (size_t length = 0; length + 2 < text.size(); ++length) {
    EXPECT_NE(message_of([&] {
                plan_from_json(text.substr(0, length));
              }).find("not a plan that coppice wrote"),
              std::string::npos)
        << length;
  }
}

TEST(Plan, fields_of_the_wrong_kind_are_named) {
  const char* texts[] = {
      "[]",
      "null",
      R"({"model": 3, "method": "l1", "slices": []})",
      R"({"model": {"file": "a", "sha256": "b"}, "slices": []})",
      R"({"model": {"file": "a", "sha256": "b"}, "method": "l1", "slices": [7]})",
      R"({"model": {"file": "a", "sha256": "b"}, "method": "l1", "slices": {"a": 1}})",
      R"({"model": {"file": "a", "sha256": "b"}, "method": "l1", "slices":
         [{"tensor": "w", "axis": "0", "size": 1, "keep": []}]})",
      R"({"model": {"file": "a", "sha256": "b"}, "method": "l1", "slices":
         [{"tensor": "w", "axis": 0, "size": 4, "keep": [1.5]}]})",
      R"({"model": {"file": "a", "sha256": "b"}, "method": "l1", "slices":
         [{"tensor": "w", "axis": 0, "size": 1e300, "keep": []}]})",
      R"({"model": {"file": "a", "sha256": "b"}, "method": "l1", "slices":
         [{"tensor": "w", "axis": 0, "size": 18446744073709551615, "keep": []}]})",
  };
  for (const char* text : texts) {
    EXPECT_NE(message_of([&] { plan_from_json(text); }).find("not a plan that coppice wrote"),
              std::string::npos)
        << text;
  }
}

TEST(Plan, names_that_json_can_not_hold_are_an_error_not_a_crash) {
  Plan plan = small_plan();
  plan.slices[0].tensor = "w\xff";
  EXPECT_NE(message_of([&] { to_json(plan); }).find("UTF-8"), std::string::npos);
}

Plan masked_plan() {
  Plan plan;
  plan.method = "magnitude";
  plan.mask_files = {{"w1", 5, "plan.masks/000-w1.npy"}};
  return plan;
}

TEST(PlanMasks, are_listed_in_the_json_with_their_files_and_come_back) {
  const std::string text = to_json(masked_plan());
  EXPECT_EQ(text, R"({"model":{"file":"","sha256":""},"method":"magnitude","slices":[],"masks":[)"
                  R"({"tensor":"w1","nonzeros":5,"file":"plan.masks/000-w1.npy"}]})"
                  "\n");
  EXPECT_EQ(plan_from_json(text), masked_plan());
}

TEST(PlanMasks, files_lie_beside_the_plan_or_are_refused) {
  for (const char* file : {"", "/etc/passwd", "../w.npy", "a/../../w.npy"}) {
    Plan plan = masked_plan();
    plan.mask_files[0].file = file;
    EXPECT_NE(message_of([&] {
                plan_from_json(to_json(plan));
              }).find("the mask of tensor 'w1' lies in '" + std::string(file) + "'"),
              std::string::npos);
  }
}

TEST(PlanMasks, fields_of_the_wrong_kind_are_named) {
  const std::string begin =
      R"({"model": {"file": "a", "sha256": "b"}, "method": "m", "slices": [])";
  for (const char* masks : {"7", R"([{"tensor": "w", "nonzeros": 1}])",
                            R"([{"tensor": "w", "nonzeros": "1", "file": "f"}])",
                            R"([{"tensor": 1, "nonzeros": 1, "file": "f"}])"}) {
    EXPECT_NE(message_of([&] {
                plan_from_json(begin + ", \"masks\": " + masks + "}");
              }).find("not a plan that coppice wrote"),
              std::string::npos)
        << masks;
  }
}

TEST(PlanMasks, what_lay_in_the_file_becomes_a_mask_if_it_is_what_the_plan_says) {
  Plan plan = masked_plan();
  const MaskFile file{"w1", 2, "f.npy"};
  const Tensor array = Tensor::of<uint8_t>({1, 3}, std::vector<uint8_t>{1, 0, 1});
  const auto message = [&](const MaskFile& listed, const Tensor& found) {
    return message_of([&] { add_mask(plan, listed, found); });
  };
  EXPECT_EQ(message({"w1", 3, "f.npy"}, array),
            "mask of tensor 'w1' in 'f.npy': it has 2 nonzeros, the plan says 3; is the file of "
            "another plan?");
  EXPECT_NE(message(file, Tensor::of<uint8_t>({2}, std::vector<uint8_t>{1, 2}))
                .find("element 1 is 2, expected 0 or 1"),
            std::string::npos);
  EXPECT_NE(message(file, Tensor::zeros(DType::f32, {2})).find("float32, expected uint8"),
            std::string::npos);
  EXPECT_TRUE(plan.masks.empty());
  add_mask(plan, file, array);
  EXPECT_EQ(plan.masks.at("w1"), Tensor::of<float>({1, 3}, std::vector<float>{1, 0, 1}));
  EXPECT_NE(message(file, array).find("listed twice"), std::string::npos);
}

}  // namespace
}  // namespace coppice
