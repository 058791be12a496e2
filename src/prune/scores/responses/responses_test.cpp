// Criteria that look at responses, on values of hand: each is what its paper's sums say.

#include "prune/scores/responses/responses.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "evidence/plain_loops.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

// Channels of `r` are read as they are, those of `q` as four columns each.
constexpr char kNet[] = R"(
  input x float32 [N, 2, 6, 6]
  const w float32 [3, 2, 3, 3] random
  const v float32 [4, 3, 3, 3] random
  const f float32 [16, 2] random
  c = Conv(x, w)
  r = Relu(c)
  d = Conv(r, v)
  q = Relu(d)
  h = Flatten(q)
  g = Gemm(h, f)
  output g)";
constexpr int64_t kImages = 12;

struct Responses {
  Graph graph = parse_text_graph(kNet);
  Groups groups = find_groups(graph);
  std::vector<double> labels;
  Tensor r = values_of({kImages, 3, 4, 4}, 1), h = values_of({kImages, 16}, 2);

  Responses() {
    for (int64_t n = 0; n < kImages; ++n) labels.push_back(static_cast<double>(n % 3));
  }
  // Some are 0, as behind a Relu.
  static Tensor values_of(const Shape& shape, uint64_t seed) {
    Tensor values = Tensor::zeros(DType::f32, shape);
    Random(seed).fill_normal(values.mutate<float>(), 1);
    for (float& x : values.mutate<float>()) x = std::max(0.0f, x);
    return values;
  }
  std::vector<float> scores_of(const std::string& criterion, const char* norm = "none") const {
    Settings own(find_criterion(criterion).options);
    if (has_option(own.options(), kLayerNorm)) own.set(kLayerNorm, norm);
    ScoreOptions options{.own = own};
    options.measure = [this](const Graph&, std::span<const EvidenceRequest> requests) {
      Evidence evidence;
      for (const EvidenceRequest& request : requests) evidence.add(request, answer(request));
      return evidence;
    };
    return score_units(graph, groups, find_criterion(criterion), options).units;
  }
  Tensor answer(const EvidenceRequest& request) const {
    if (request.reduction == Reduction::labels) return Tensor::of<double>({kImages}, labels);
    const Tensor& value = request.value == "r" ? r : h;
    const auto numbers = plain::reduce({value}, request);
    const int64_t channels = value.shape()[1];
    const bool by_image = request.reduction == Reduction::pooled;
    return Tensor::of<double>(by_image ? Shape{kImages, channels} : Shape{channels}, numbers);
  }
  // Unit u's values in image n, whichever way they lie.
  std::vector<double> values(int64_t unit, int64_t n) const {
    std::vector<double> all;
    const bool first = unit < 3;
    const int64_t each = first ? 16 : 4, from = first ? unit * 16 : (unit - 3) * 4;
    for (int64_t i = 0; i < each; ++i) {
      all.push_back(first ? r.as<float>()[n * 48 + from + i] : h.as<float>()[n * 16 + from + i]);
    }
    return all;
  }
  std::vector<double> values(int64_t unit) const {
    std::vector<double> all;
    for (int64_t n = 0; n < kImages; ++n) {
      for (const double x : values(unit, n)) all.push_back(x);
    }
    return all;
  }
};

double mean_of(const std::vector<double>& numbers) {
  double sum = 0;
  for (const double x : numbers) sum += x;
  return sum / static_cast<double>(numbers.size());
}

TEST(Responses, mean_deviation_and_zeros_are_those_of_all_of_a_units_values) {
  const Responses net;
  const auto means = net.scores_of("mean-activation"), deviations = net.scores_of("std-activation"),
             zeros = net.scores_of("apoz");
  for (int64_t unit = 0; unit < 7; ++unit) {
    const std::vector<double> values = net.values(unit);
    const double mean = mean_of(values);
    double squares = 0, not_zero = 0;
    for (const double x : values) squares += (x - mean) * (x - mean), not_zero += x != 0;
    EXPECT_NEAR(means[unit], mean, 1e-6);
    EXPECT_NEAR(deviations[unit], std::sqrt(squares / static_cast<double>(values.size())), 1e-6);
    EXPECT_NEAR(zeros[unit], not_zero / static_cast<double>(values.size()), 1e-6);
  }
}

TEST(Responses, of_each_layer_are_over_their_euclidean_norm_unless_told_otherwise) {
  const Responses net;
  for (const char* criterion :
       {"mean-activation", "std-activation", "apoz", "mutual-information"}) {
    SCOPED_TRACE(criterion);
    const auto plain = net.scores_of(criterion), normed = net.scores_of(criterion, "l2");
    for (const auto& [first, end] : {std::pair{0, 3}, std::pair{3, 7}}) {
      double squares = 0;
      for (int u = first; u < end; ++u) squares += double{plain[u]} * plain[u];
      for (int u = first; u < end; ++u) {
        EXPECT_NEAR(normed[u], plain[u] / std::sqrt(squares), 1e-6);
      }
    }
  }
}

TEST(Responses, mutual_information_is_all_of_the_labels_where_they_follow_from_the_response) {
  Responses net;
  for (int64_t n = 0; n < kImages; ++n) {
    for (int64_t i = 0; i < 16; ++i) {
      net.r.mutate<float>()[n * 48 + i] = static_cast<float>(net.labels[n]);  // its class
      net.r.mutate<float>()[n * 48 + 16 + i] = 1;                             // always the same
      net.r.mutate<float>()[n * 48 + 32 + i] = net.labels[n] == 2 ? 1 : 0;    // one of three
    }
  }
  const auto scores = net.scores_of("mutual-information");
  EXPECT_NEAR(scores[0], std::log(3.0), 1e-6);
  EXPECT_NEAR(scores[1], 0, 1e-6);
  EXPECT_NEAR(scores[2], std::log(3.0) - 2 / 3.0 * std::log(2.0), 1e-6);
}

TEST(Responses, mutual_information_without_several_classes_says_so) {
  Responses net;
  std::ranges::fill(net.labels, 4);
  try {
    net.scores_of("mutual-information");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("found 12 images of one class"), std::string::npos);
  }
}

TEST(Responses, the_mean_square_of_weights_ranks_layers_by_their_size_alike) {
  const Responses net;
  const auto scores = net.scores_of("min-weight");
  const auto expect = [&](const char* weight, int64_t units, int64_t first) {
    const auto numbers = net.graph.value(*find_value(net.graph, weight)).constant->as<float>();
    const int64_t each = std::ssize(numbers) / units;
    for (int64_t u = 0; u < units; ++u) {
      double squares = 0;
      for (int64_t i = u * each; i < (u + 1) * each; ++i)
        squares += double{numbers[i]} * numbers[i];
      EXPECT_NEAR(scores[first + u], squares / static_cast<double>(each), 1e-6);
    }
  };
  expect("w", 3, 0);
  expect("v", 4, 3);
}

}  // namespace
}  // namespace coppice
