// The training half is a shared object that is opened when something trains: a program that merely
// links LibTorch takes 0.4 s and 160 MB to do nothing.
#include <dlfcn.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "core/error.h"
#include "training/agent.h"
#include "training/plugin.h"
#include "training/trainer.h"

namespace coppice {
namespace {

// Beside the program, in the lib folder beside its bin folder, then where the system looks.
std::string library_path() {
  std::error_code gone;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", gone);
  const auto folder = program.parent_path();
  for (const auto& candidate :
       {folder / kTrainerLibrary, folder / ".." / "lib" / kTrainerLibrary}) {
    if (!gone && std::filesystem::exists(candidate, gone)) return candidate.string();
  }
  return kTrainerLibrary;
}

template <typename Function>
Function find(void* library, const char* name) {
  void* symbol = ::dlsym(library, name);
  if (!symbol) fail_usage(std::string(kTrainerLibrary) + " has no function '" + name + "'");
  return reinterpret_cast<Function>(symbol);
}

}  // namespace

void* open_trainer_library(const std::filesystem::path& path) {
  void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* reason = ::dlerror();
    fail_usage(std::string("training needs ") + kTrainerLibrary + ", which can't be opened (" +
               (reason ? reason : "unknown reason") +
               "); build without --light (COPPICE_TRAINING=ON) and keep it beside the program");
  }
  constexpr std::string_view kExpected = COPPICE_TRAINER_INTERFACE;
  const std::string_view found = find<const char* (*)()>(library, kTrainerInterfaceFunction)();
  if (found == kExpected) return library;
  fail_usage(std::string(kTrainerLibrary) + " is of another build: it says '" + std::string(found) +
             "', expected '" + std::string(kExpected) + "'; build both together");
}

namespace {

void* trainer_library() {
  static void* const library = open_trainer_library(library_path());
  return library;
}

}  // namespace

std::unique_ptr<Trainer> open_trainer(const TrainerOptions& options) {
  using Make = Trainer* (*)(const TrainerOptions&);
  return std::unique_ptr<Trainer>(find<Make>(trainer_library(), kMakeTrainerFunction)(options));
}

std::unique_ptr<Agent> open_agent(const AgentOptions& options) {
  using Make = Agent* (*)(const AgentOptions&);
  return std::unique_ptr<Agent>(find<Make>(trainer_library(), kMakeAgentFunction)(options));
}

}  // namespace coppice
