// See structure_file.h.
#include "tasks/pruning/structure_file.h"

#include <fstream>

#include "core/files.h"
#include "model/load.h"
#include "model/plan_file.h"

namespace coppice {
namespace {

// Plans are JSON objects, which no model begins like.
bool is_plan(const std::string& path) {
  if (std::filesystem::path(path).extension() == ".json") return true;
  std::ifstream file(path, std::ios::binary);
  return file.peek() == '{';
}

}  // namespace

std::shared_ptr<const GivenStructure> read_structure(const Settings& settings, uint64_t seed) {
  if (!has_option(settings.options(), kStructure) || !settings.has(kStructure)) return nullptr;
  GivenStructure given{.file = settings[kStructure]};
  if (is_plan(given.file)) {
    given.plan = read_plan(given.file);
  } else {
    given.graph = load_model(given.file, seed).graph;
  }
  return std::make_shared<const GivenStructure>(std::move(given));
}

void reads_structure(Places& places, const GivenStructure* structure) {
  if (!structure) return;
  if (!structure->plan) return places.reads_model(structure->file);
  places.reads(structure->file);
  for (const auto& mask : mask_paths(*structure->plan, structure->file)) places.reads(mask);
}

Request request_of_structure(const GivenStructure* structure, uint64_t seed) {
  if (!structure) return {};
  if (!structure->plan) return {{"structure", model_sha256(structure->file, seed).get()}};
  Request request = {{"structure", sha256_of_file(structure->file)}};
  for (const auto& mask : mask_paths(*structure->plan, structure->file)) {
    request.emplace_back("structure's masks", sha256_of_file(mask));
  }
  return request;
}

}  // namespace coppice
