#include "support/shared_data.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "support/temp_dir.h"

namespace coppice {
namespace {

// Sets COPPICE_DATA for one test.
class WithDataAt {
 public:
  explicit WithDataAt(const std::filesystem::path& path) {
    if (const char* before = std::getenv("COPPICE_DATA")) before_ = before;
    ::setenv("COPPICE_DATA", path.c_str(), 1);
  }
  ~WithDataAt() {
    before_ ? ::setenv("COPPICE_DATA", before_->c_str(), 1) : ::unsetenv("COPPICE_DATA");
  }

 private:
  std::optional<std::string> before_;
};

TEST(SharedData, is_where_the_environment_says) {
  const TempDir dir;
  const WithDataAt data(dir.path());
  EXPECT_EQ(shared_data(), dir.path());
}

TEST(SharedData, a_wrong_environment_is_an_error_not_a_skip) {
  const TempDir dir;
  const WithDataAt data(dir / "absent");
  EXPECT_THROW(shared_data(), std::runtime_error);
}

}  // namespace
}  // namespace coppice
