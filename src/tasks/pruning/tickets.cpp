// See tickets.h.
#include "tasks/pruning/tickets.h"

#include <filesystem>

#include "core/error.h"
#include "core/files.h"
#include "methods/options/blocks.h"
#include "onnx/onnx.h"

namespace coppice {

Deliver deliver_to(const Settings& settings, const Places& places, const Judge* judge) {
  if (!judge || !has_option(settings.options(), kTickets) || !settings.has(kTickets)) return {};
  const std::filesystem::path folder = settings[kTickets];
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder)) {
    fail_input("can't make the folder '" + folder.string() +
               "' of --tickets: " + (error ? error.message() : "it is a file"));
  }
  const std::string preprocess = to_string(judge->preprocessing());
  return [=](const std::string& name, const Graph& graph) {
    Places with_it = places;
    AtomicFile file(with_it.writes("--tickets", (folder / (name + ".onnx")).string()));
    Graph net = graph;
    set_metadata(net, kPreprocessKey, preprocess);
    write_onnx(net, file, with_it.taken());
    file.commit();
  };
}

}  // namespace coppice
