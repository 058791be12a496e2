// Evidence from a data set: every image counts once, in whatever batches they come.

#include "evidence/measure.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "data/batch.h"
#include "evidence/collector.h"
#include "evidence/plain_loops.h"
#include "runtime/reference.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

std::string net(const std::string& batch) {
  return "input x float32 [" + batch + R"(, 1, 28, 28]
    const w float32 [6, 1, 5, 5] random
    c = Conv(x, w) {strides=[2, 2]}
    y = Relu(c)
    output y
  )";
}

struct Digits {
  std::unique_ptr<Dataset> dataset = open_dataset("digits", Split::train);
  MeasureOptions options{.indices = {9, 2, 77, 31, 5, 600, 8},
                         .preprocessing = parse_preprocessing("scale=1/255")};

  Tensor images() const {
    Tensor images = Tensor::zeros(DType::f32, {std::ssize(options.indices), 1, 28, 28});
    load_batch(*dataset, options.preprocessing, options.indices, images, {});
    return images;
  }
};

const std::vector<EvidenceRequest> kRequests{
    {"y", Reduction::mean}, {"y", Reduction::covariance}, {"y", Reduction::pooled}};

TEST(Measure, a_last_batch_that_is_smaller_counts_as_it_is) {
  Digits digits;
  const Graph graph = parse_text_graph(net("N"));
  const Tensor y = run_reference(graph, std::vector<Tensor>{digits.images()})[0];
  for (const int64_t batch : {0, 1, 3, 7, 100}) {
    digits.options.batch = batch;
    std::vector<int64_t> done;
    digits.options.after_batch = [&](int64_t images) { done.push_back(images); };
    const Evidence evidence = measure(graph, kRequests, *digits.dataset, digits.options);
    EXPECT_EQ(done.back(), 7);
    for (const EvidenceRequest& request : kRequests) {
      const std::vector<double> expected = plain::reduce({y}, request);
      const auto found = evidence.numbers(request);
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5);
    }
  }
}

TEST(Measure, labels_are_those_of_the_images_that_are_measured) {
  Digits digits;
  const EvidenceRequest labels{.value = "", .reduction = Reduction::labels};
  std::vector<EvidenceRequest> both = kRequests;
  both.push_back(labels);
  const Graph graph = parse_text_graph(net("3"));
  const Evidence evidence = measure(graph, both, *digits.dataset, digits.options);
  std::vector<double> expected;
  for (const int64_t index : {9, 2, 77, 31, 5, 600}) {
    expected.push_back(static_cast<double>(digits.dataset->label(index)));
  }
  EXPECT_EQ(evidence.at(labels), Tensor::of<double>({6}, expected));
  EXPECT_EQ(evidence.size(), 4u);
  const Evidence alone = measure(graph, std::span(&labels, 1), *digits.dataset, digits.options);
  EXPECT_EQ(alone.at(labels), evidence.at(labels));
  EXPECT_THROW(Collector(graph, std::span(&labels, 1)), Error);
}

TEST(Measure, where_the_batch_is_fixed_only_whole_batches_count) {
  Digits digits;
  const Graph graph = parse_text_graph(net("3"));
  const Evidence evidence = measure(graph, kRequests, *digits.dataset, digits.options);
  EXPECT_EQ(evidence.at(kRequests[2]).shape(), (Shape{6, 6}));
  digits.options.indices = {1, 2};
  try {
    measure(graph, kRequests, *digits.dataset, digits.options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("batch is fixed at 3, found 2 images"),
              std::string::npos)
        << error.what();
  }
}

TEST(Measure, needs_a_net_for_images) {
  Digits digits;
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 4]
    input z float32 [N, 4]
    y = Add(x, z)
    output y
  )");
  EXPECT_THROW(measure(graph, kRequests, *digits.dataset, digits.options), Error);
}

TEST(Measure, nothing_asked_for_runs_nothing) {
  Digits digits;
  digits.options.after_batch = [](int64_t) { FAIL(); };
  EXPECT_EQ(measure(parse_text_graph(net("N")), {}, *digits.dataset, digits.options).size(), 0u);
}

}  // namespace
}  // namespace coppice
