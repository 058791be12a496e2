// Who says how images are preprocessed: the user before the model, the model before the data.
#include "model/preprocessing.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "data/formats/memory_dataset.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

std::unique_ptr<Dataset> images(const std::string& usual) {
  const auto bytes = std::make_shared<std::vector<std::byte>>(4);
  MemoryImages all;
  all.name = "tiny";
  all.classes = 2;
  all.shape = {1, 2, 2};
  all.labels = {0};
  all.parts.push_back({bytes, std::span(*bytes), 4, 1});
  if (!usual.empty()) all.preprocessing = parse_preprocessing(usual);
  return make_memory_dataset(std::move(all));
}

Graph model(const std::string& says) {
  Graph graph;
  if (!says.empty()) set_metadata(graph, kPreprocessKey, says);
  return graph;
}

std::string refusal(const std::string& option, const Graph& graph, const Dataset& dataset,
                    ErrorKind kind) {
  try {
    choose_preprocessing(option, graph, dataset);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  return "not refused";
}

TEST(ChoosePreprocessing, what_is_given_goes_before_what_the_model_says) {
  const auto found = choose_preprocessing("scale=1/2", model("scale=1/4"), *images("scale=1/8"));
  EXPECT_EQ(found.how, parse_preprocessing("scale=1/2"));
  EXPECT_EQ(found.from, PreprocessingFrom::option);
  EXPECT_EQ(found.warning, "");
}

TEST(ChoosePreprocessing, what_the_model_says_goes_before_what_is_usual_for_the_data) {
  const auto found = choose_preprocessing("", model("scale=1/4"), *images("scale=1/8"));
  EXPECT_EQ(found.how, parse_preprocessing("scale=1/4"));
  EXPECT_EQ(found.from, PreprocessingFrom::metadata);
  EXPECT_EQ(found.warning, "");
}

TEST(ChoosePreprocessing, a_usual_crop_is_of_the_models_own_size) {
  const auto chosen = [](const std::string& input) {
    const Graph graph = parse_text_graph("input x float32 " + input + "\ny = Relu(x)\noutput y");
    return choose_preprocessing("", graph, *images("resize=256,crop=224")).how;
  };
  EXPECT_EQ(chosen("[N, 3, 224, 224]"), parse_preprocessing("resize=256,crop=224"));
  EXPECT_EQ(chosen("[N, 3, H, W]"), parse_preprocessing("resize=256,crop=224"));
  EXPECT_EQ(chosen("[N, 3, 96, 96]"), parse_preprocessing("resize=110,crop=96"));
  EXPECT_EQ(chosen("[N, 3, 299, 299]"), parse_preprocessing("resize=342,crop=299"));
  EXPECT_EQ(chosen("[N, 3, 96, 112]"), parse_preprocessing("resize=128"));
}

TEST(ChoosePreprocessing, what_is_usual_for_the_data_is_a_guess_and_warned_of) {
  const auto found = choose_preprocessing("", model(""), *images("scale=1/8"));
  EXPECT_EQ(found.how, parse_preprocessing("scale=1/8"));
  EXPECT_EQ(found.from, PreprocessingFrom::dataset);
  EXPECT_NE(found.warning.find("using what is usual for tiny: scale=0.125"), std::string::npos)
      << found.warning;
}

TEST(ChoosePreprocessing, where_nobody_says_anything_nothing_is_guessed) {
  EXPECT_NE(refusal("", model(""), *images(""), ErrorKind::usage).find("give --preprocess"),
            std::string::npos);
}

TEST(ChoosePreprocessing, metadata_that_say_nonsense_are_refused_by_name) {
  EXPECT_NE(refusal("", model("sclae=2"), *images("scale=1"), ErrorKind::usage)
                .find("metadata 'coppice.preprocess'"),
            std::string::npos);
}

}  // namespace
}  // namespace coppice
