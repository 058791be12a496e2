// A model cut as 'prune --for' cuts and writes it.
#pragma once

#include "methods/one_shot/one_shot.h"
#include "methods/options/blocks.h"
#include "methods/rewrite.h"
#include "prune/runtimes/runtimes.h"

namespace coppice {

// Half the MACs, in the form that the runtime loads. Without a proof: what runs it judges.
inline Graph cut_for(const Graph& net, OneShotOptions::Selection selection, const char* runtime) {
  OneShotOptions options;
  options.budget = {Budget::Of::macs, 0.5};
  options.runtime = find_runtime(runtime);
  options.selection = selection;
  options.verify = Verify::off;
  Graph graph = prune_once(net, find_criterion("l2"), options).graph;
  Settings settings(joined(form_options(), {{&kFor}}));
  settings.set(kFor, runtime);
  rewrite(graph, Form(settings));
  return graph;
}

}  // namespace coppice
