// Gradients are of the model as it judges: statistics that run, no Dropout.
#include "tasks/sensitivity/evidence_source.h"

#include <algorithm>
#include <optional>

#include "core/threads.h"
#include "data/loader.h"
#include "evidence/measure.h"
#include "session/session.h"

namespace coppice {
namespace {

constexpr int64_t kBatch = 32;

struct Source {
  const Graph& original;
  EvidenceImages images;
  CommonRequest common;
  Watcher& watcher;
  Observer silent = {};
  std::unique_ptr<Trainer> trainer = {};
  std::optional<Session> session = {};

  // Of those that don't judge; where all do, of these.
  std::vector<int64_t> looked_at() const {
    Parts parts = parts_of(images.dataset, images.shares);
    const std::vector<int64_t>& others = parts.at(Part::training);
    const std::vector<int64_t>& from = others.empty() ? parts.at(Part::held_out) : others;
    std::vector<int64_t> indices;
    for (const int64_t place : sample_images(std::ssize(from), images.images)) {
      indices.push_back(from[place]);
    }
    return indices;
  }

  Evidence measured(const Graph& graph, std::span<const EvidenceRequest> requests) {
    return measure(graph, requests, images.dataset,
                   {.indices = looked_at(),
                    .preprocessing = images.preprocessing,
                    .after_batch = [this](int64_t) { stop_if_requested(watcher); }});
  }

  Evidence collected(const Graph& graph, std::span<const EvidenceRequest> requests) {
    if (!trainer) trainer = common.open_trainer({.threads = thread_count()});
    if (!session) {
      session.emplace(original, SessionData{&images.dataset, images.preprocessing, images.shares},
                      *trainer, silent, SessionOptions{});
    }
    const Part part = session->images(Part::training).empty() ? Part::held_out : Part::training;
    const int64_t batch = std::min(kBatch, std::ssize(session->images(part)));
    const Measure measure =
        session->measuring({.part = part,
                            .batches = std::max<int64_t>(1, images.images / batch),
                            .batch = batch,
                            .seed = common.seed,
                            .mode = CollectOptions::Mode::evaluation});
    return measure(graph, requests);
  }
};

}  // namespace

Measure evidence_from(const Graph& original, const EvidenceImages& images,
                      const CommonRequest& common, Watcher& watcher) {
  const std::shared_ptr<Source> source(new Source{original, images, common, watcher});
  return [source](const Graph& graph, std::span<const EvidenceRequest> requests) {
    const bool gradients = std::ranges::any_of(requests, [](const EvidenceRequest& request) {
      return needs_gradients(request.reduction);
    });
    return gradients ? source->collected(graph, requests) : source->measured(graph, requests);
  };
}

}  // namespace coppice
