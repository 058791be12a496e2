// A checkpoint gives back what was written, or says what is wrong with the file.
#include "session/state/checkpoint.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "graph/renumber.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::message_of;

constexpr char kSmallNet[] = R"(
    input x float32 [N, 2]
    const w float32 [2, 3] random
    const b float32 [3] random
    y = Gemm(x, w, b)
    output y)";

Tensor tensor_of(Shape shape, float first) {
  Tensor tensor = Tensor::zeros(DType::f32, std::move(shape));
  for (float& element : tensor.mutate<float>()) element = first++;
  return tensor;
}

SessionState small_state() {
  SessionState state;
  state.request = {{"command", "train"}, {"--lr", "0.1"}, {"--data", "caf\xc3\xa9:\"x\"\n"}};
  state.stages = {{.stage = "pruning",
                   .epochs = 0,
                   .held_out = Evaluation{.top1 = 0.3,
                                          .top5 = 0.4,
                                          .loss = 2.5,
                                          .images = 20,
                                          .batch = 10,
                                          .images_per_second = 5}},
                  {.stage = "dense", .epochs = 1, .held_out = {}}};
  state.cursor = {.epoch = 1, .batch = 4, .loss = 0.1, .correct = 5, .images = 60, .seconds = 7.5};
  state.history = {{.stage = "dense",
                    .epoch = 1,
                    .epochs = 9,
                    .learning_rate = 0.3,
                    .loss = 1.0 / 3,
                    .top1 = 0.25,
                    .held_out = {},
                    .held_out_after = {},
                    .seconds = 1e-3,
                    .images_per_second = 1e6},
                   {.stage = "sparse",
                    .epoch = 2,
                    .epochs = 9,
                    .learning_rate = 0.1,
                    .loss = 2,
                    .top1 = 1,
                    .held_out = Evaluation{.top1 = 0.5,
                                           .top5 = 0.7,
                                           .loss = 0.1 + 0.2,
                                           .images = 10,
                                           .batch = 100,
                                           .images_per_second = 12},
                    .held_out_after = Evaluation{.top1 = 0.25,
                                                 .top5 = 0.5,
                                                 .loss = 3,
                                                 .images = 10,
                                                 .batch = 100,
                                                 .images_per_second = 13},
                    .seconds = 2,
                    .images_per_second = 3}};
  state.plan.model_file = "net.onnx";
  state.plan.model_sha256 = "abc";
  state.plan.method = "l1";
  state.plan.slices = {{"w", 1, 5, {0, 2, 4}, 0}, {"d", 0, 3, {1}, 1, Use{"y", 2}}};
  state.plan.mask_files = {{"w", 4, "net.masks/w.npy"}};
  state.graph = parse_text_graph(kSmallNet);
  state.optimizer.updates = 77;
  state.optimizer.slots["momentum"] = {{"w", tensor_of({2, 3}, 1)}, {"b", tensor_of({3}, 20)}};
  state.optimizer.slots["second"] = {{"w", tensor_of({2, 3}, 30)}};
  state.masks = {{"w", tensor_of({2, 3}, 40)}};
  state.snapshots["early"] = {{"w", tensor_of({2, 3}, 50)}, {"b", tensor_of({3}, 60)}};
  state.snapshots[""] = {{"b", tensor_of({3}, 70)}};
  state.own = {.text = R"({"round": 3})",
               .tensors = {{"of no weight", Tensor::of<int64_t>({2}, std::vector<int64_t>{7, -8})},
                           {"w", tensor_of({9}, 80)}}};
  return state;
}

SessionState there_and_back(const SessionState& state) {
  const TempDir folder;
  write_checkpoint(folder / "run", state);
  return read_checkpoint(folder / "run");
}

std::string contents(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST(Checkpoint, every_field_comes_back) {
  const SessionState state = small_state(), read = there_and_back(state);
  EXPECT_EQ(read.request, state.request);
  fake::expect_same(read.stages, state.stages);
  EXPECT_EQ(read.cursor.epoch, 1);
  EXPECT_EQ(read.cursor.batch, 4);
  EXPECT_EQ(read.cursor.loss, 0.1);
  EXPECT_EQ(read.cursor.correct, 5);
  EXPECT_EQ(read.cursor.images, 60);
  EXPECT_EQ(read.cursor.seconds, 7.5);
  EXPECT_EQ(read.plan, state.plan);
  EXPECT_TRUE(fake::bytes_of(read.graph) == fake::bytes_of(state.graph));
  EXPECT_EQ(read.optimizer.updates, 77);
  EXPECT_EQ(read.optimizer.slots, state.optimizer.slots);
  EXPECT_EQ(read.masks, state.masks);
  EXPECT_EQ(read.snapshots, state.snapshots);
  EXPECT_EQ(read.own, state.own);
  fake::expect_same(read.history, state.history);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read.history[i].seconds, state.history[i].seconds);
    EXPECT_EQ(read.history[i].images_per_second, state.history[i].images_per_second);
  }
  EXPECT_EQ(read.history[1].held_out->images_per_second, 12);
}

TEST(Checkpoint, values_keep_their_numbers_and_what_they_were_copied_from) {
  SessionState state = small_state();
  Graph& graph = state.graph;
  add_value(graph, "nobody's");
  const ValueId copy = add_constant(graph, "b_1", fake::tensor(graph, "b"));
  graph.value(copy).copy_of = *find_value(graph, "b");
  graph.nodes.front().inputs[2] = copy;
  state.optimizer = {};
  state.snapshots = {};
  std::vector<ValueId> order(graph.values.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<ValueId>(order.size() - 1 - i);
  renumber(graph, order);
  const std::string before = fake::bytes_of(graph);
  const Graph read = there_and_back(state).graph;
  ASSERT_EQ(read.values.size(), graph.values.size());
  for (size_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(read.values[i].name, graph.values[i].name);
    EXPECT_EQ(read.values[i].copy_of, graph.values[i].copy_of);
  }
  EXPECT_TRUE(fake::bytes_of(read) == before);
}

TEST(Checkpoint, one_that_just_began_comes_back) {
  SessionState state;
  state.graph = parse_text_graph(kSmallNet);
  const SessionState read = there_and_back(state);
  EXPECT_TRUE(read.request.empty() && read.history.empty() && read.masks.empty());
  EXPECT_TRUE(read.snapshots.empty() && read.own == MethodState{});
  EXPECT_TRUE(read.optimizer.slots.empty());
  EXPECT_EQ(read.plan, Plan{});
}

TEST(Checkpoint, read_and_written_again_it_is_the_same_file) {
  const TempDir folder;
  write_checkpoint(folder / "a", small_state());
  write_checkpoint(folder / "b", read_checkpoint(folder / "a"));
  EXPECT_TRUE(contents(folder / "a") == contents(folder / "b"));
}

TEST(Checkpoint, numbers_that_are_not_finite_come_back) {
  SessionState state = small_state();
  Evaluation& held_out = *state.history[1].held_out;
  held_out.loss = std::nan("");
  EXPECT_TRUE(std::isnan(there_and_back(state).history[1].held_out->loss));
  for (const double value : {HUGE_VAL, -HUGE_VAL}) {
    held_out.loss = state.history[0].images_per_second = value;
    const SessionState read = there_and_back(state);
    EXPECT_EQ(read.history[1].held_out->loss, value);
    EXPECT_EQ(read.history[0].images_per_second, value);
  }
}

TEST(Checkpoint, names_that_are_not_utf8_come_back) {
  SessionState state = small_state();
  std::string all;  // every byte but the end of a text
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  state.graph.value(*find_value(state.graph, "w")).name = all;
  state.request.emplace_back("--data", all);
  state.history[0].stage = all;
  state.plan.slices[0].tensor = state.plan.model_file = all;
  state.plan.slices[1].use->node = all;
  state.plan.mask_files[0] = {all, 1, "m" + all};
  state.optimizer.slots = {{"momentum", {{all, tensor_of({2, 3}, 1)}}}};
  state.masks = {{all, tensor_of({2, 3}, 5)}};
  state.snapshots = {{all, state.masks}};
  state.own = {.text = all, .tensors = state.masks};
  const SessionState read = there_and_back(state);
  EXPECT_EQ(read.request, state.request);
  EXPECT_EQ(read.history[0].stage, all);
  EXPECT_EQ(read.plan, state.plan);
  EXPECT_EQ(read.optimizer.slots, state.optimizer.slots);
  EXPECT_EQ(read.masks, state.masks);
  EXPECT_EQ(read.snapshots, state.snapshots);
  EXPECT_EQ(read.own, state.own);
}

std::string message_of_reading(const std::filesystem::path& path) {
  return message_of(ErrorKind::input, [&] { read_checkpoint(path); });
}

TEST(Checkpoint, cut_short_anywhere_it_is_refused_by_name) {
  const TempDir folder;
  const std::filesystem::path path = folder / "run";
  write_checkpoint(path, small_state());
  const std::string begin = "checkpoint '" + path.string() + "': ";
  for (auto size = static_cast<int64_t>(std::filesystem::file_size(path)) - 1; size >= 0; --size) {
    std::filesystem::resize_file(path, size);
    ASSERT_TRUE(message_of_reading(path).starts_with(begin)) << size << " bytes";
  }
}

TEST(Checkpoint, with_any_byte_changed_it_is_refused_by_name) {
  const TempDir folder;
  const std::filesystem::path path = folder / "run";
  write_checkpoint(path, small_state());
  const std::string whole = contents(path), begin = "checkpoint '" + path.string() + "': ";
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  for (size_t i = 0; i < whole.size(); ++i) {
    const auto put = [&](char byte) {
      file.seekp(static_cast<std::streamoff>(i));
      file.put(byte);
      file.flush();
    };
    put(static_cast<char>(whole[i] ^ 1 << i % 8));
    ASSERT_TRUE(message_of_reading(path).starts_with(begin)) << "byte " << i;
    put(whole[i]);
  }
  EXPECT_EQ(read_checkpoint(path).stages.size(), 2u);
}

TEST(Checkpoint, one_that_is_not_there_is_refused_by_name) {
  const TempDir folder;
  EXPECT_NE(message_of_reading(folder / "gone").find("gone"), std::string::npos);
}

TEST(RequireSame, whatever_the_order_equal_options_pass) {
  EXPECT_NO_THROW(require_same({{"a", "1"}, {"b", "2"}}, {{"b", "2"}, {"a", "1"}}));
  EXPECT_NO_THROW(require_same({}, {}));
}

TEST(RequireSame, the_option_that_differs_is_named_with_both_values) {
  const auto message = [](const Request& now, const Request& before) {
    return message_of(ErrorKind::usage, [&] { require_same(now, before); });
  };
  const std::string end = "; give the same, or delete its folder to start anew";
  EXPECT_EQ(message({{"--lr", "0.1"}, {"--batch", "8"}}, {{"--lr", "0.1"}, {"--batch", "16"}}),
            "--resume: --batch is '8', the run began with '16'" + end);
  EXPECT_EQ(message({}, {{"--batch", "16"}}),
            "--resume: --batch is left out, the run began with '16'" + end);
  EXPECT_EQ(message({{"--batch", "8"}}, {}),
            "--resume: --batch is '8', the run began with it left out" + end);
  // A flag has no value, and an option may be given several times.
  EXPECT_EQ(message({{"--soft", ""}}, {}),
            "--resume: --soft is given, the run began with it left out" + end);
  EXPECT_EQ(message({}, {{"--soft", ""}}),
            "--resume: --soft is left out, the run began with it" + end);
  EXPECT_EQ(message({{"--keep", "a"}, {"--keep", "c"}}, {{"--keep", "a"}, {"--keep", "b"}}),
            "--resume: --keep is 'a', 'c', the run began with 'a', 'b'" + end);
}

}  // namespace
}  // namespace coppice
