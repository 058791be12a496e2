// Channel Pruning layer by layer: what is redundant goes at no cost, what can be made up for is,
// and what can't be decided by is said.
#include "prune/regression/regress_layers.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "evidence/collector.h"
#include "prune/regression/unit_readers.h"
#include "runtime/executable.h"
#include "support/graphs/cut.h"

namespace coppice {
namespace {

using Choose = RegressionOptions::Choose;
using Refit = RegressionOptions::Refit;

// Two layers with a normalisation between, of which the second reads `redundant` channels.
constexpr char kTwo[] = R"(
  input x float32 [N, 3, 6, 6]
  const w float32 [8, 3, 3, 3] random
  const b float32 [8] random
  const v float32 [5, 8, 3, 3] random
  const g float32 [5] positive
  const s float32 [5] random
  const m float32 [5] random
  const q float32 [5] positive
  const u float32 [4, 5, 1, 1] random
  a = Conv(x, w, b) {pads=[1, 1, 1, 1]}
  r = Relu(a)
  c = Conv(r, v) {pads=[1, 1, 1, 1]}
  n = BatchNormalization(c, g, s, m, q)
  t = Relu(n)
  y = Conv(t, u)
  output y)";

struct Net {
  Graph original, graph;
  Groups groups;
  std::vector<Tensor> inputs;
  RegressionOptions options;
  Regressed result;

  explicit Net(const std::string& text, int64_t images = 60) : original(parse_text_graph(text)) {
    graph = original;
    groups = find_groups(graph);
    Random random(1);
    inputs = random_inputs(graph, images, random);
    options.points = 12;
    options.measure = [this](const Graph& net, std::span<const EvidenceRequest> requests) {
      Collector collector(net, requests);
      const InputSizes sizes{.inputs = {}, .batch = inputs[0].shape()[0]};
      compile(net, sizes, {.threads = 1}, collector.observation()).run(inputs);
      return collector.finish();
    };
  }

  size_t group(const std::string& filters) const {
    const auto found = std::ranges::find(groups.free, filters, &Group::name);
    EXPECT_NE(found, groups.free.end()) << filters;
    return static_cast<size_t>(found - groups.free.begin());
  }
  // The group keeps so many units, all others everything.
  Net& keep(const std::string& filters, int64_t units) {
    return keep(std::map<std::string, int64_t>{{filters, units}});
  }
  Net& keep(const std::map<std::string, int64_t>& kept) {
    Widths widths;
    for (const Group& other : groups.free) {
      widths.push_back(kept.contains(other.name) ? kept.at(other.name) : other.units());
    }
    result = regress_layers(graph, groups, widths, options);
    return *this;
  }
  std::vector<int64_t> removed(const std::string& filters) const {
    const Group& of = groups.free[group(filters)];
    std::vector<int64_t> units;
    for (int64_t u = 0; u < of.units(); ++u) {
      if (result.removal[of.first_unit + u]) units.push_back(u);
    }
    return units;
  }
  // How far the masked net is from the original, and the cut one from the masked.
  double distance() const {
    Graph masked = graph;
    mask_units(masked, groups, result.removal);
    const Tensor now = run_reference(masked, inputs)[0];
    Graph cut = graph;
    remove_units(cut, groups, result.removal);
    EXPECT_LT(difference(now, run_reference(cut, inputs)[0]), kCutTolerance);
    return difference(run_reference(original, inputs)[0], now);
  }

  Tensor& tensor(const std::string& name) {
    return *original.value(*find_value(original, name)).constant;
  }
  // Filter `to` becomes `times` filter `from`, with its bias.
  void copy_filter(int64_t from, int64_t to, float times) {
    for (const char* name : {"w", "b"}) {
      const auto element = tensor(name).mutate<float>();
      const int64_t size = std::ssize(element) / tensor(name).shape()[0];
      for (int64_t i = 0; i < size; ++i) element[to * size + i] = times * element[from * size + i];
    }
    graph = original;
  }
  // What `v` makes of input `to` becomes `times` what it makes of `from`.
  void copy_input(int64_t from, int64_t to, float times) {
    const Shape shape = tensor("v").shape();
    const int64_t taps = shape[2] * shape[3];
    const auto element = tensor("v").mutate<float>();
    for (int64_t i = 0; i < shape[0] * taps; ++i) {
      const int64_t row = i / taps * shape[1];
      element[(row + to) * taps + i % taps] = times * element[(row + from) * taps + i % taps];
    }
    graph = original;
  }
};

std::string refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    return error.what();
  }
  return "(no error)";
}

TEST(RegressLayers, channels_that_others_say_as_well_leave_at_no_cost) {
  Net net(kTwo);
  net.copy_filter(0, 1, 2);
  net.copy_filter(0, 5, 0.5);
  net.copy_filter(3, 6, 1);
  net.copy_input(0, 1, 0.4f);
  net.copy_input(0, 5, -0.7f);
  net.copy_input(3, 6, 0.9f);
  EXPECT_LT(net.keep("w", 5).distance(), 1e-3);
  EXPECT_EQ(net.removed("w").size(), 3u);
  ASSERT_EQ(net.result.layers.size(), 1u);
  EXPECT_EQ(net.result.layers[0].name, "c");
  EXPECT_EQ(net.result.layers[0].kept, 5);
  EXPECT_LT(net.result.layers[0].fitted, 1e-6);
  EXPECT_GT(net.result.layers[0].chosen, 1e-3) << "without new weights they are missed";
}

TEST(RegressLayers, a_constant_channel_goes_into_the_running_mean_behind_the_layer) {
  Net net(R"(
    input x float32 [N, 3, 4, 4]
    const w float32 [6, 3, 1, 1] random
    const b float32 [6] random
    const v float32 [5, 6, 1, 1] random
    const g float32 [5] positive
    const s float32 [5] random
    const m float32 [5] random
    const q float32 [5] positive
    a = Conv(x, w, b)
    c = Conv(a, v)
    y = BatchNormalization(c, g, s, m, q)
    output y)");
  std::ranges::fill(net.tensor("w").mutate<float>().subspan(2 * 3, 3), 0.0f);
  net.tensor("b").mutate<float>()[2] = 3;
  net.graph = net.original;
  EXPECT_LT(net.keep("w", 5).distance(), 1e-4);
  EXPECT_EQ(net.removed("w"), std::vector<int64_t>{2});
  EXPECT_EQ(net.graph.values.size(), net.original.values.size()) << "no bias was added";
}

TEST(RegressLayers, the_lasso_leaves_a_smaller_error_than_what_it_is_compared_with) {
  const auto error = [](Choose choose, Refit refit = Refit::losing) {
    Net net(kTwo);
    net.copy_filter(6, 0, 1);
    net.copy_filter(7, 1, 1.5);
    net.options.choose = choose;
    net.options.refit = refit;
    return net.keep("w", 4).result.layers[0].fitted;
  };
  const double lasso = error(Choose::lasso);
  EXPECT_LE(lasso, error(Choose::first));
  EXPECT_LE(lasso, error(Choose::random));
  EXPECT_LE(lasso, error(Choose::response) * 1.05);
  EXPECT_LE(lasso, error(Choose::l1) * 1.05);
  EXPECT_LT(lasso, error(Choose::lasso, Refit::none)) << "least squares only help";
}

TEST(RegressLayers, the_error_falls_as_more_stays) {
  double last = 1;
  for (const int64_t kept : {2, 4, 6, 7}) {
    Net net(kTwo);
    const double error = net.keep("w", kept).result.layers[0].fitted;
    EXPECT_LT(error, last) << kept;
    last = error;
  }
}

// The branch's last layer reads all that the other side is made of, so it can make up for it.
constexpr char kBranches[] = R"(
  input x float32 [N, 4, 5, 5]
  const w float32 [6, 4, 1, 1] random
  const p float32 [3, 6, 1, 1] random
  const u float32 [3, 4, 1, 1] random
  const g float32 [3] positive
  const s float32 [3] random
  const m float32 [3] random
  const q float32 [3] positive
  a = Conv(x, w)
  side = Conv(a, p)
  c = Conv(x, u)
  n = BatchNormalization(c, g, s, m, q)
  y = Add(side, n)
  output y)";

TEST(RegressLayers, the_last_layer_of_a_branch_makes_up_for_what_the_other_side_lacks) {
  Net net(kBranches);
  EXPECT_LT(net.keep("w", 1).distance(), 0.99);
  EXPECT_GT(net.result.layers[0].fitted, 0.01) << "the other side does lack something";
  // `c` reads nothing that has changed, so it isn't asked; here it does.
  std::string changed = kBranches;
  changed.replace(changed.find("c = Conv(x, u)"), 14, "z = Add(x, x)\n  c = Conv(z, u)");
  changed.replace(changed.find("a = Conv(x, w)"), 14, "a = Conv(x, w)");
  Net twin(changed);
  EXPECT_GT(twin.keep("w", 1).distance(), 0.01);
}

TEST(RegressLayers, what_a_stream_lacks_is_made_up_for_by_the_next_branch) {
  // The stream y1 = x + branch 1 lacks what its branch lost; branch 2 reads the stream, and its
  // last layer is asked for its own part of y2 and for that.
  constexpr char kStream[] = R"(
    input x float32 [N, 4, 5, 5]
    const w1 float32 [6, 4, 1, 1] random
    const w2 float32 [4, 6, 1, 1] random
    const w3 float32 [9, 4, 1, 1] random
    const w4 float32 [4, 9, 1, 1] random
    a = Conv(x, w1)
    b = Relu(a)
    c = Conv(b, w2)
    y1 = Add(x, c)
    d = Conv(y1, w3)
    e = Relu(d)
    f = Conv(e, w4)
    y2 = Add(y1, f)
    output y2)";
  const auto distance = [&](Refit refit) {
    Net net(kStream);
    net.options.refit = refit;
    return net.keep("w1", 3).distance();
  };
  EXPECT_LT(distance(Refit::changed), 0.8 * distance(Refit::losing));
}

TEST(RegressLayers, channels_of_several_positions_each_leave_a_matrix_as_one) {
  Net net(R"(
    input x float32 [N, 2, 4, 4]
    const w float32 [6, 2, 3, 3] random
    const b float32 [6] random
    const f float32 [5, 24] random
    const h float32 [5] random
    a = Conv(x, w, b)
    r = Relu(a)
    k = Flatten(r)
    y = Gemm(k, f, h) {transB=1, alpha=0.5}
    output y)",
          200);
  net.copy_filter(1, 4, 0);
  EXPECT_LT(net.keep("w", 5).distance(), 1e-3);
  EXPECT_EQ(net.removed("w"), std::vector<int64_t>{4});
  EXPECT_EQ(net.result.layers[0].inputs, 24);
  EXPECT_EQ(net.result.layers[0].kept, 20);
}

constexpr char kReadTwice[] = R"(
  input x float32 [N, 3, 5, 5]
  const w float32 [6, 3, 1, 1] random
  const b float32 [6] random
  const v float32 [4, 6, 1, 1] random
  const u float32 [2, 6, 3, 3] random
  a = Conv(x, w, b)
  r = Relu(a)
  c = Conv(r, v)
  y = Conv(r, u)
  output y
  output c)";

TEST(RegressLayers, channels_that_several_layers_read_are_chosen_by_all_of_these) {
  Net net(kReadTwice);
  net.copy_filter(2, 3, 1);
  // One layer has no use for channel 5, the other none for 0: neither is what may go.
  const auto silence = [&](const char* name, int64_t channel) {
    const Shape shape = net.tensor(name).shape();
    const int64_t taps = shape[2] * shape[3];
    const auto element = net.tensor(name).mutate<float>();
    for (int64_t o = 0; o < shape[0]; ++o) {
      std::ranges::fill(element.subspan((o * shape[1] + channel) * taps, taps), 0.0f);
    }
  };
  silence("v", 5);
  silence("u", 0);
  net.graph = net.original;
  EXPECT_LT(net.keep("w", 5).distance(), 1e-4);
  EXPECT_TRUE(net.removed("w") == std::vector<int64_t>{2} ||
              net.removed("w") == std::vector<int64_t>{3});
  EXPECT_EQ(net.result.layers.size(), 2u);
}

TEST(RegressLayers, the_same_input_gives_the_same_bits) {
  Net first(kTwo), second(kTwo);
  first.keep("w", 4);
  second.keep("w", 4);
  EXPECT_EQ(first.result.removal, second.result.removal);
  EXPECT_EQ(*first.graph.value(*find_value(first.graph, "v")).constant,
            *second.graph.value(*find_value(second.graph, "v")).constant);
}

TEST(RegressLayers, too_few_samples_are_refused_with_the_number_of_images_needed) {
  Net net(kTwo, 3);
  const std::string message = refusal([&] { net.keep("w", 5); });
  EXPECT_EQ(message,
            "node 'c' (Conv): 36 samples (3 images of 12 points) for 46 unknowns "
            "of each output, expected at least as many: 4 images");
}

TEST(RegressLayers, a_layer_that_answers_all_images_alike_is_named) {
  Net net(kTwo);
  std::ranges::fill(net.tensor("v").mutate<float>(), 0.0f);
  net.graph = net.original;
  const std::string message = refusal([&] { net.keep("w", 5); });
  EXPECT_NE(message.find("node 'c' (Conv): its outputs are the same at all 720 samples"),
            std::string::npos)
      << message;
}

TEST(RegressLayers, what_is_not_finite_is_named) {
  Net net(kBranches);
  std::ranges::fill(net.inputs[0].mutate<float>().first(100),
                    std::numeric_limits<float>::quiet_NaN());
  const std::string message = refusal([&] { net.keep("w", 5); });
  EXPECT_NE(message.find("value 'side'"), std::string::npos) << message;
  EXPECT_NE(message.find("found a NaN"), std::string::npos) << message;
}

TEST(UnitReaders, says_why_units_cannot_be_chosen_by_who_reads_them) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 2, 4, 4]
    const w float32 [4, 2, 1, 1] random
    const d float32 [4, 1, 3, 3] random
    const v float32 [3, 4, 1, 1] random
    const k float32 [3, 2, 1, 1] random
    const t float32 [3, 5, 2, 2] random
    const u float32 [2, 5, 1, 1] random
    a = Conv(x, w)
    b = Conv(a, d) {group=4}
    c = Conv(b, v)
    e = ConvTranspose(c, t)
    y = Conv(e, u)
    z = Conv(y, k)
    output z)");
  const Groups groups = find_groups(graph);
  const auto readers = unit_readers(graph, groups);
  const auto of = [&](const std::string& name) {
    for (size_t g = 0; g < groups.free.size(); ++g) {
      if (groups.free[g].name == name) return readers[g];
    }
    return UnitReaders{{}, "no such group"};
  };
  EXPECT_EQ(of("w").why_none, "");
  EXPECT_EQ(of("w").nodes, std::vector<int32_t>{2}) << "through the depthwise layer";
  EXPECT_EQ(of("v").why_none,
            "node 'e' (ConvTranspose) doesn't sum over all channels with weight 't'");
  EXPECT_EQ(of("t").nodes, std::vector<int32_t>{4});
}

}  // namespace
}  // namespace coppice
