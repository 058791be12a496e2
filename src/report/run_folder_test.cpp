#include "report/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using nlohmann::json;

RunDescription description() {
  return {.command = {"coppice", "eval", "x.onnx"}, .version = "1.2.3", .seed = 7, .threads = 2};
}

TEST(RunFolder, keeps_what_ran_where_and_what_came_out) {
  const TempDir dir;
  {
    RunFolder run(dir / "a" / "b", description());
    EXPECT_EQ(json::parse(read_text(dir / "a" / "b" / "run.json"))["status"], "running");
    run.add_metric(R"({"step": 1})");
    run.add_metric(R"({"step": 2})");
    run.finish(RunFolder::Status::done, R"({"top1": 0.5})", "");
  }
  const json run = json::parse(read_text(dir / "a" / "b" / "run.json"));
  EXPECT_EQ(run["status"], "done");
  EXPECT_EQ(run["command"], json({"coppice", "eval", "x.onnx"}));
  EXPECT_EQ(run["version"], "1.2.3");
  EXPECT_EQ(run["seed"], 7);
  EXPECT_EQ(run["threads"], 2);
  EXPECT_GE(run["machine"]["cores"], 1);
  EXPECT_FALSE(run["machine"]["cpu"].get<std::string>().empty());
  EXPECT_EQ(run["started"].get<std::string>().size(), std::string("2024-01-01T00:00:00Z").size());
  EXPECT_TRUE(run.contains("ended"));
  EXPECT_EQ(run["result"]["top1"], 0.5);
  EXPECT_FALSE(run.contains("error"));
  EXPECT_EQ(read_text(dir / "a" / "b" / "metrics.jsonl"), "{\"step\": 1}\n{\"step\": 2}\n");
}

TEST(RunFolder, keeps_why_a_run_failed) {
  const TempDir dir;
  RunFolder(dir.path(), description()).finish(RunFolder::Status::failed, "", "no such file");
  const json run = json::parse(read_text(dir / "run.json"));
  EXPECT_EQ(run["status"], "failed");
  EXPECT_EQ(run["error"], "no such file");
  EXPECT_FALSE(run.contains("result"));
}

TEST(RunFolder, a_failure_with_nothing_to_tell_leaves_the_record_of_an_earlier_run) {
  const TempDir dir;
  {
    RunFolder run(dir.path(), description());
    run.add_metric(R"({"step": 1})");
    run.finish(RunFolder::Status::done, "", "");
  }
  RunFolder(dir.path(), description()).finish(RunFolder::Status::failed, "", "no such file");
  EXPECT_EQ(json::parse(read_text(dir / "run.json"))["status"], "done");
  EXPECT_EQ(read_text(dir / "metrics.jsonl"), "{\"step\": 1}\n");
  RunFolder(dir.path(), description()).add_metric(R"({"step": 2})");
  EXPECT_EQ(json::parse(read_text(dir / "run.json"))["status"], "running");
  EXPECT_EQ(read_text(dir / "metrics.jsonl"), "{\"step\": 2}\n");
}

TEST(RunFolder, refuses_a_folder_that_another_run_uses) {
  const TempDir dir;
  {
    const RunFolder first(dir.path(), description());
    EXPECT_THAT([&] { RunFolder(dir.path(), description()); },
                testing::ThrowsMessage<Error>(testing::HasSubstr("another run is using it")));
  }
  RunFolder again(dir.path(), description());
  again.finish(RunFolder::Status::done, "", "");
}

TEST(RunFolder, refuses_a_path_that_is_a_file) {
  const TempDir dir;
  write_text(dir / "file", "x");
  EXPECT_THAT([&] { RunFolder(dir / "file", description()); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("run folder")));
}

}  // namespace
}  // namespace coppice
