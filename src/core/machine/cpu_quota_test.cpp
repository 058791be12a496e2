#include "core/machine/cpu_quota.h"

#include <gtest/gtest.h>

#include "core/files.h"
#include "core/threads.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

class CpuQuota : public testing::Test {
 protected:
  void file(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    write_text(folder_ / name, text);
  }
  std::optional<double> quota() { return cpu_quota(folder_ / "self", folder_ / "groups"); }

  TempDir folder_;
};

TEST_F(CpuQuota, is_none_where_nothing_says_so) {
  EXPECT_EQ(quota(), std::nullopt);
  file("self", "0::/\n");
  EXPECT_EQ(quota(), std::nullopt);
  file("groups/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), std::nullopt);
}

TEST_F(CpuQuota, is_what_the_container_is_given) {
  file("self", "0::/\n");
  file("groups/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 1.5);
}

TEST_F(CpuQuota, is_the_least_of_the_group_and_those_above_it) {
  file("self", "0::/system/service\n");
  file("groups/system/cpu.max", "200000 100000\n");
  file("groups/system/service/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), 2);
  file("groups/system/service/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota(), 0.5);
}

TEST_F(CpuQuota, is_read_in_the_first_version_too) {
  file("self", "5:memory:/a\n3:cpu,cpuacct:/a\n0::/\n");
  file("groups/cpu/a/cpu.cfs_quota_us", "-1\n");
  file("groups/cpu/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  file("groups/cpu/a/cpu.cfs_quota_us", "300000\n");
  EXPECT_EQ(quota(), 3);
}

TEST_F(CpuQuota, leaves_one_core_at_least) { EXPECT_GE(available_cores(), 1); }

}  // namespace
}  // namespace coppice
