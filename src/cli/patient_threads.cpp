// See patient_threads.h.
#include "cli/patient_threads.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace coppice {

void restart_with_patient_threads(const std::vector<std::string>& arguments) {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT")) return;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  std::vector<std::string> words = {"coppice"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  // By its own name, which `ps` and `pkill` then show. Where it can't be started again, it goes on
  // as it is.
  std::error_code unknown;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unknown);
  if (!unknown) ::execv(program.c_str(), pointers.data());
}

}  // namespace coppice
