// A plan and its masks take their places together, also when a run ends in between.
#include "model/plan_file.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

namespace fs = std::filesystem;

Plan plan_of(const std::string& output, const std::vector<std::string>& tensors) {
  Plan plan;
  plan.method = "magnitude";
  plan.output = output;
  for (const std::string& tensor : tensors) {
    plan.masks.emplace(tensor, Tensor::of<float>({2}, std::vector<float>{1, 0}));
  }
  return plan;
}

void write_plan(const fs::path& path, const std::string& output,
                const std::vector<std::string>& tensors) {
  PlanFile file(path, output);
  file.expect_masks();
  file.write(plan_of(output, tensors));
  file.commit();
}

// The masks come to their place, the plan doesn't.
void write_masks_alone(const fs::path& path, const std::string& output,
                       const std::vector<std::string>& tensors) {
  PlanFile file(path, output);
  file.expect_masks();
  file.write(plan_of(output, tensors));
  for (const auto& entry : fs::directory_iterator(path.parent_path())) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name != path.filename()) fs::remove(entry.path());
  }
  EXPECT_THROW(file.commit(), Error);
  ASSERT_TRUE(fs::exists(file.mask_folder()));
}

std::vector<std::string> masked(const fs::path& path) {
  std::vector<std::string> names;
  for (const auto& [tensor, mask] : read_plan(path).masks) names.push_back(tensor);
  return names;
}

std::string refused(const fs::path& path, const std::string& output) {
  try {
    PlanFile(path, output).expect_masks();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "not refused";
}

using Names = std::vector<std::string>;

TEST(PlanFile, masks_without_their_plan_are_replaced_by_the_run_that_goes_on) {
  const TempDir dir;
  const fs::path path = dir / "plan.json";
  write_masks_alone(path, "out.onnx", {"a", "b"});
  write_plan(path, "out.onnx", {"c"});
  EXPECT_EQ(masked(path), Names{"c"});
  EXPECT_EQ(std::distance(fs::directory_iterator(dir / "plan.masks"), {}), 2);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir.path()), {}), 2) << "no litter";
}

TEST(PlanFile, so_are_those_beside_an_earlier_plan) {
  const TempDir dir;
  const fs::path path = dir / "plan.json";
  write_plan(path, "out.onnx", {"a", "b"});
  write_masks_alone(path, "out.onnx", {"b", "c", "d"});
  write_plan(path, "out.onnx", {"e"});
  EXPECT_EQ(masked(path), Names{"e"});
  EXPECT_EQ(std::distance(fs::directory_iterator(dir / "plan.masks"), {}), 2);
}

// Plans from before there was an archive have none, and their masks are read all the same.
TEST(PlanFile, masks_lie_in_one_archive_too_which_nobody_here_needs) {
  const TempDir dir;
  const fs::path path = dir / "plan.json";
  write_plan(path, "out.onnx", {"a", "b"});
  EXPECT_TRUE(fs::exists(dir / "plan.masks/masks.npz"));
  fs::remove(dir / "plan.masks/masks.npz");
  EXPECT_EQ(masked(path), (Names{"a", "b"}));
  write_plan(path, "out.onnx", {"c"});
  EXPECT_TRUE(fs::exists(dir / "plan.masks/masks.npz"));
}

TEST(PlanFile, masks_of_another_result_or_other_files_stay) {
  const TempDir dir;
  const fs::path path = dir / "plan.json";
  write_masks_alone(path, "out.onnx", {"a"});
  EXPECT_NE(refused(path, "other.onnx").find("expected masks alone"), std::string::npos);
  write_text(dir / "plan.masks/mine.npy", "mine");
  EXPECT_NE(refused(path, "out.onnx").find("'mine.npy', expected masks"), std::string::npos);
  EXPECT_TRUE(fs::exists(dir / "plan.masks/mine.npy"));
}

TEST(PlanFile, masks_go_with_the_plan_that_is_replaced_by_one_without) {
  const TempDir dir;
  const fs::path path = dir / "plan.json";
  write_plan(path, "out.onnx", {"a", "b"});
  write_text(dir / "plan.masks/mine.npy", "mine");
  const auto replace = [&] {
    PlanFile file(path, "out.onnx");
    file.write(plan_of("out.onnx", {}));
    file.commit();
  };
  replace();
  EXPECT_EQ(masked(path), Names{});
  EXPECT_EQ(std::distance(fs::directory_iterator(dir / "plan.masks"), {}), 1) << "mine.npy";
  fs::remove(dir / "plan.masks/mine.npy");
  fs::remove(dir / "plan.masks");
  write_plan(path, "out.onnx", {"a", "b"});
  replace();
  EXPECT_FALSE(fs::exists(dir / "plan.masks"));
}

TEST(PlanFile, another_results_plan_stays_and_is_named) {
  const TempDir dir;
  const fs::path path = dir / "plan.json";
  write_plan(path, "out.onnx", {"a"});
  EXPECT_NE(refused(path, "other.onnx").find("the plan of another result, 'out.onnx'"),
            std::string::npos);
  EXPECT_EQ(masked(path), Names{"a"});
  write_plan(path, "out.onnx", {"b"});
  EXPECT_EQ(masked(path), Names{"b"});
}

}  // namespace
}  // namespace coppice
