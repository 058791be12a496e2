// Data sets whose two parts don't go together: labels in another order, images of another shape.
#include <gmock/gmock.h>

#include "cli/training_fixture.h"

namespace coppice {
namespace {

using testing::HasSubstr;
using TwoParts = Training;

TEST_F(TwoParts, labels_of_the_test_part_that_fit_those_of_the_training_part_badly_are_told) {
  std::string labels;
  for (int64_t i = 0; i < kImages; ++i) labels += static_cast<char>(9 - i % kClasses);
  std::filesystem::copy(path("x.npy"), path("tx.npy"));
  write_text(path("ty.npy"), npy("|u1", "(640,)", labels));
  data_ += "," + path("tx.npy") + "," + path("ty.npy");
  const std::string said = "held out from its training", cause = "in another order";
  const Ran learnt = coppice(train("lenet5.onnx", 3));
  ASSERT_EQ(learnt.code, 0) << learnt.err;
  EXPECT_THAT(learnt.err, HasSubstr(said));
  EXPECT_THAT(learnt.err, HasSubstr(cause));
  const Ran cut = coppice(prune("small.onnx", {"--epochs", "1", "--quiet"}));
  ASSERT_EQ(cut.code, 0) << cut.err;
  EXPECT_THAT(cut.err, HasSubstr(said)) << "also with --quiet";
  const Ran shared = coppice({"compress", path("lenet5.onnx"), "--data", data_, "-o",
                              path("shared.coppice"), "--bits", "6", "--batch", "64"});
  ASSERT_EQ(shared.code, 0) << shared.err;
  EXPECT_THAT(shared.err, HasSubstr(said));
}

TEST_F(TwoParts, images_to_test_with_have_the_shape_of_those_to_train_on) {
  write_text(path("tx.npy"), npy("|u1", "(640, 56, 14)", read_text(path("x.npy")).substr(128)));
  data_ += "," + path("tx.npy") + "," + path("y.npy");
  const Ran ran = coppice(train("lenet5.onnx", 1, {"--quiet"}));
  EXPECT_TRUE(fails(ran, 3, "images to test with are 1x56x14, those to train on 1x28x28"));
  EXPECT_FALSE(std::filesystem::exists(path("lenet5.onnx")));
}

}  // namespace
}  // namespace coppice
