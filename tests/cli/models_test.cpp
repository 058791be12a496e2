// Models that are damaged, foreign, hostile or just odd: a clear line or a result, never a crash,
// and after a failure nothing is left in the folder.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "cli/program.h"
#include "core/files.h"
#include "onnx/onnx.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

constexpr char kNet[] = R"(
  input x float32 [N, 3, 8, 8]
  const w1 float32 [16, 3, 3, 3] random
  const w2 float32 [16, 16, 3, 3] random
  const w3 float32 [4, 16] random
  a = Conv(x, w1) {pads=[1, 1, 1, 1]}
  b = Relu(a)
  c = Conv(b, w2) {pads=[1, 1, 1, 1]}
  d = GlobalAveragePool(c)
  e = Flatten(d)
  y = Gemm(e, w3) {transB=1}
  output y
)";

Graph with_weight(const std::string& name, float value) {
  Graph graph = parse_text_graph(kNet);
  graph.value(*find_value(graph, name)).constant->mutate<float>()[5] = value;
  return graph;
}

Graph without_weight(const std::string& name) {
  Graph graph = parse_text_graph(kNet);
  graph.value(*find_value(graph, name)).constant.reset();
  return graph;
}

std::string bytes_of(const Graph& graph) {
  std::string bytes;
  serialise_onnx(graph, [&](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return bytes;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string net_with(const std::string& from, const std::string& to) {
  return bytes_of(parse_text_graph(replaced(kNet, from, to)));
}

struct BadModel {
  const char* name;
  std::function<std::string()> bytes;
  const char* message;
};

void PrintTo(const BadModel& model, std::ostream* out) { *out << model.name; }

class BadModels : public testing::TestWithParam<BadModel> {};

TEST_P(BadModels, prune_names_the_trouble_and_writes_nothing) {
  const TempDir dir;
  write_text(dir / "bad.onnx", GetParam().bytes());
  const Ran ran = coppice({"prune", dir / "bad.onnx", "-o", dir / "out.onnx"});
  EXPECT_TRUE(fails(ran, 3, GetParam().message));
  EXPECT_EQ(names_in(dir.path()), std::set<std::string>{"bad.onnx"});
}

TEST_P(BadModels, other_commands_answer_or_fail_in_one_line) {
  const TempDir dir;
  const std::string model = dir / "bad.onnx";
  write_text(model, GetParam().bytes());
  for (const Arguments& arguments :
       {Arguments{"inspect", model}, Arguments{"inspect", model, "--json"},
        Arguments{"bench", model}, Arguments{"eval", model, "--data", "digits"},
        Arguments{"verify", model, model}}) {
    SCOPED_TRACE(arguments.front());
    const Ran ran = coppice(arguments);
    EXPECT_TRUE(ran.code == 0 || ran.code == 4 || fails(ran, 3, "")) << ran.err;
  }
  EXPECT_EQ(names_in(dir.path()), std::set<std::string>{"bad.onnx"});
}

INSTANTIATE_TEST_SUITE_P(
    Cli, BadModels,
    testing::Values(
        BadModel{"empty", [] { return std::string(); }, "the file is empty"},
        BadModel{"foreign", [] { return std::string("\x89PNG\r\n\x1a\n and so on"); },
                 "not an ONNX model"},
        BadModel{"truncated",
                 [] {
                   const std::string whole = net_with("", "");
                   return whole.substr(0, whole.size() / 2);
                 },
                 "bad.onnx"},
        BadModel{"missing_initialiser", [] { return bytes_of(without_weight("w2")); }, "'w2'"},
        BadModel{"dangling_name",
                 [] {
                   Graph graph = parse_text_graph(kNet);
                   graph.nodes[2].inputs[0] = add_value(graph, "nowhere");
                   return bytes_of(graph);
                 },
                 "'nowhere'"},
        BadModel{"cycle",
                 [] {
                   Graph graph = parse_text_graph(kNet);
                   graph.nodes[0].inputs[0] = *find_value(graph, "c");
                   return bytes_of(graph);
                 },
                 "bad.onnx"},
        BadModel{"zero_sized", [] { return net_with("[N, 3, 8, 8]", "[N, 3, 0, 8]"); }, "(Conv)"},
        BadModel{"huge_dimensions",
                 [] { return net_with("[N, 3, 8, 8]", "[N, 3, 4611686018427387904, 8]"); }, ""},
        BadModel{"channels_that_do_not_fit",
                 [] { return net_with("[16, 16, 3, 3]", "[16, 12, 3, 3]"); }, "12"},
        BadModel{"nan_weight", [] { return bytes_of(with_weight("w2", std::nanf(""))); }, "'w2'"},
        BadModel{"infinite_weight", [] { return bytes_of(with_weight("w1", INFINITY)); }, "'w1'"}),
    [](const auto& model) { return model.param.name; });

TEST(OddModels, an_absent_file_is_named) {
  const TempDir dir;
  EXPECT_TRUE(fails(coppice({"inspect", dir / "none.onnx"}), 3, "none.onnx"));
  EXPECT_TRUE(fails(coppice({"inspect", dir.path()}), 3, "can't read"));
}

TEST(OddModels, a_layer_of_zeros_is_pruned_like_any_other) {
  const TempDir dir;
  write_text(dir / "zero.onnx",
             net_with("w2 float32 [16, 16, 3, 3] random", "w2 float32 [16, 16, 3, 3] zeros"));
  for (const char* method : {"l1", "l2", "fpgm"}) {
    SCOPED_TRACE(method);
    const Ran ran = coppice({"prune", dir / "zero.onnx", "-o", dir / "out.onnx", "--method", method,
                             "--json", "--latency", "off"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out.find("nan"), std::string::npos);
    EXPECT_EQ(ran.json()["verified"], true);
    EXPECT_EQ(coppice({"inspect", dir / "out.onnx"}).code, 0);
  }
}

TEST(OddModels, weights_beside_the_model_are_read_and_written_beside) {
  const TempDir dir;
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 40]
      const w1 float32 [40, 64] random
      const w2 float32 [64, 10] random
      h = MatMul(x, w1)
      r = Relu(h)
      y = MatMul(r, w2)
      output y)");
  graph.foreign.storage = Foreign::Storage::beside;
  write_onnx(graph, dir / "net.onnx");
  ASSERT_TRUE(std::filesystem::exists(dir / "net.onnx.data"));
  const Ran pruned = coppice({"prune", dir / "net.onnx", "-o", dir / "small.onnx", "--keep-macs",
                              "0.5", "--latency", "off", "--json"});
  ASSERT_EQ(pruned.code, 0) << pruned.err;
  EXPECT_EQ(pruned.json()["verified"], true);
  EXPECT_GT(pruned.json()["before"]["bytes"], 64 * 50 * 4);
  EXPECT_TRUE(std::filesystem::exists(dir / "small.onnx.data"));
  const Ran same = coppice({"verify", dir / "net.onnx", dir / "small.onnx", "--plan",
                            dir / "small.plan.json", "--json"});
  EXPECT_EQ(same.code, 0) << same.err;
  const Ran packed = coppice({"compress", dir / "small.onnx", "-o", dir / "small.coppice"});
  EXPECT_EQ(packed.code, 0) << packed.err;
  EXPECT_EQ(coppice({"inspect", dir / "small.coppice"}).code, 0);
  std::filesystem::remove(dir / "net.onnx.data");
  EXPECT_TRUE(fails(coppice({"inspect", dir / "net.onnx"}), 3, "net.onnx.data"));
}

TEST(OddModels, nothing_prunable_is_exit_code_4_and_writes_nothing) {
  const TempDir dir;
  write_onnx(parse_text_graph("input x float32 [N, 4]\n const w float32 [4, 3] random\n"
                              "y = MatMul(x, w)\n output y"),
             dir / "rigid.onnx");
  EXPECT_TRUE(fails(coppice({"prune", dir / "rigid.onnx", "-o", dir / "out.onnx"}), 4, ""));
  EXPECT_EQ(names_in(dir.path()), std::set<std::string>{"rigid.onnx"});
}

TEST(OddModels, a_budget_out_of_reach_is_exit_code_4_and_writes_nothing) {
  const TempDir dir;
  const Ran ran =
      coppice({"prune", "zoo:lenet5", "-o", dir / "out.onnx", "--keep-params", "0.0001"});
  EXPECT_TRUE(fails(ran, 4, ""));
  EXPECT_EQ(names_in(dir.path()), std::set<std::string>{});
}

TEST(OddModels, an_unknown_operator_is_listed_and_left_alone) {
  const TempDir dir;
  write_text(dir / "odd.onnx", net_with("b = Relu(a)", "b = Mystery(a)"));
  const Ran ran = coppice({"inspect", dir / "odd.onnx", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.json()["unknown_operators"]["Mystery"], 1);
  EXPECT_EQ(coppice({"inspect", dir / "odd.onnx"}).code, 0);
  EXPECT_TRUE(fails(coppice({"bench", dir / "odd.onnx"}), 4, "Mystery")) << "the file is sound";
}

TEST(OddModels, shapes_that_do_not_fit_are_explained_by_inspect) {
  const TempDir dir;
  write_text(dir / "odd.onnx", net_with("[16, 16, 3, 3]", "[16, 12, 3, 3]"));
  const Ran ran = coppice({"inspect", dir / "odd.onnx", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(ran.json()["macs"].is_null());
  EXPECT_NE(ran.json()["shapes_error"].get<std::string>().find("(Conv)"), std::string::npos);
  EXPECT_EQ(ran.json()["groups"].size(), 0u);
}

TEST(OddModels, names_that_would_move_the_cursor_stay_on_their_line) {
  const TempDir dir;
  Graph graph = parse_text_graph(kNet);
  graph.nodes[0].name = "evil\x1b[2J\nname";
  write_onnx(graph, dir / "odd.onnx");
  const Ran ran = coppice({"inspect", dir / "odd.onnx"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
}

TEST(Models, a_pruned_one_says_how_and_a_second_pruning_says_so_of_itself_alone) {
  const TempDir dir;
  const std::string net = dir / "net.onnx", small = dir / "small.onnx", last = dir / "last.onnx";
  ASSERT_EQ(coppice({"zoo", "lenet5", "-o", net}).code, 0);
  ASSERT_EQ(coppice({"prune", net, "-o", small, "--method", "fpgm", "--latency", "off"}).code, 0);
  Graph graph = read_onnx(small);
  EXPECT_EQ(metadata(graph, "coppice.method"), "fpgm");
  EXPECT_EQ(metadata(graph, "coppice.budget"), "--keep-macs 0.5");
  EXPECT_EQ(metadata(graph, "coppice.original_sha256"), sha256_of_file(net));
  EXPECT_EQ("coppice " + metadata(graph, "coppice.version") + "\n", coppice({"--version"}).out);
  ASSERT_EQ(coppice({"apply", dir / "small.plan.json", net, "-o", last}).code, 0);
  EXPECT_EQ(sha256_of_file(small), sha256_of_file(last)) << "the same cut";
  const size_t entries = graph.metadata.size();
  ASSERT_EQ(coppice({"prune", small, "-o", last, "--prune-ratio", "0.2", "--round-to", "1",
                     "--latency", "off"})
                .code,
            0);
  graph = read_onnx(last);
  EXPECT_EQ(graph.metadata.size(), entries);
  EXPECT_EQ(metadata(graph, "coppice.method"), "l2");
  EXPECT_EQ(metadata(graph, "coppice.budget"), "--prune-ratio 0.2");
  EXPECT_EQ(metadata(graph, "coppice.original_sha256"), sha256_of_file(small));
}

}  // namespace
}  // namespace coppice
