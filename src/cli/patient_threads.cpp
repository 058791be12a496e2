// See patient_threads.h.
#include "cli/patient_threads.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

#include "core/threads.h"

namespace coppice {
namespace {

constexpr char kSpins[] = "1000";  // 20 us, about what threads of one layer differ by
constexpr uint64_t kSlice_ns = 100'000;

// Whether others want all cores, and go on wanting them: a moment's work isn't waited for.
bool machine_is_busy() {
  for (int look = 0; look < 4; ++look) {
    if (look > 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::ifstream file("/proc/loadavg");
    std::string line;
    if (!std::getline(file, line) || others_running(line) < available_cores()) return false;
  }
  return true;
}

// As the kernel defines it; its own header can't stand beside the C library's.
struct SchedulingAttributes {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

// A thread that wakes up is let in sooner where it asks for little at a time; its share stays the
// same. Linux before 6.12 doesn't know of it, and nothing depends on it.
void ask_for_short_slices() {
  SchedulingAttributes attributes{};
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  attributes.runtime = kSlice_ns;
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace

int others_running(std::string_view load) {
  for (int field = 0; field < 3; ++field) {
    const size_t space = load.find(' ');
    if (space == std::string_view::npos) return 0;
    load.remove_prefix(space + 1);
  }
  int running = 0;
  const auto [end, error] = std::from_chars(load.data(), load.data() + load.size(), running);
  const bool understood = error == std::errc() && end != load.data() + load.size() && *end == '/';
  return understood && running > 1 ? running - 1 : 0;
}

void restart_with_patient_threads(const std::vector<std::string>& arguments) {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT")) return;
  const bool busy = machine_is_busy();
  if (busy) ask_for_short_slices();
  ::setenv("GOMP_SPINCOUNT", busy ? "0" : kSpins, 1);
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
