// See collector.h. Requests of one value that are answered in the same pass share a part.

#include "evidence/collector.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <variant>

#include "core/error.h"
#include "evidence/measured/channel_sums.h"
#include "evidence/measured/covariances.h"
#include "evidence/measured/pooled.h"
#include "evidence/measured/samples.h"
#include "graph/infer.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

using Part = std::variant<ChannelSums, Covariances, Pooled, Samples>;

bool is_sum(Reduction reduction) {
  switch (reduction) {
    case Reduction::mean:
    case Reduction::variance:
    case Reduction::mean_absolute:
    case Reduction::zero_share:
    case Reduction::largest: return true;
    default: return false;
  }
}

struct Source {
  ValueId value = kNoValue;  // that is observed
  EvidenceRequest request;   // with the axis of that value
  std::optional<Window> window = {};
};

class Sources {
 public:
  explicit Sources(const Graph& graph)
      : graph_(graph),
        inferred_(infer(graph, fitting_sizes(graph, {}))),
        producers_(producers(graph)) {
    for (size_t id = 0; id < graph.values.size(); ++id) {
      if (inferred_.types[id]) ids_[graph.values[id].name] = static_cast<ValueId>(id);
    }
  }

  Source of(const EvidenceRequest& request) const {
    if (needs_gradients(request.reduction)) {
      refuse(request, "it needs gradients, which only a training has");
    }
    const auto id = ids_.find(request.value);
    if (id == ids_.end()) refuse(request, "the model has none of that name and of known shape");
    if (request.reduction == Reduction::samples || request.reduction == Reduction::patches) {
      if (request.points < 1) refuse(request, "expected at least one point of each image");
    }
    const Source source = request.reduction == Reduction::patches ? patches_of(id->second, request)
                                                                  : Source{id->second, request};
    const Shape& shape = inferred_.shape(source.value);
    if (source.request.axis < 0 || source.request.axis >= std::ssize(shape)) {
      refuse(request,
             "axis " + std::to_string(request.axis) + ", found the shape " + to_string(shape));
    }
    const bool by_image = request.reduction >= Reduction::pooled;
    if (by_image && source.request.axis == 0) {
      refuse(request, "axis 0 counts images, expected that of the channels");
    }
    return source;
  }

 private:
  // What the layer that computes the value reads.
  Source patches_of(ValueId id, const EvidenceRequest& request) const {
    if (producers_[id] < 0) {
      refuse(request, "patches are of what a layer reads, it is computed by none");
    }
    const Node& node = graph_.nodes[producers_[id]];
    Source source{node.inputs.empty() ? kNoValue : node.inputs[0], request};
    const auto layer = linear_layer_of(node);
    if (!layer || layer->kind == LinearLayer::Kind::transposed_convolution ||
        layer->channels == 0) {
      refuse(request, "patches are of what a Conv, Gemm or MatMul reads, it is computed by " +
                          where(graph_, node));
    }
    if (layer->convolves()) {
      const Shape &input = inferred_.shape(source.value), &weight = inferred_.shape(node.inputs[1]);
      source.window = window_of(graph_, node, {input.begin() + 2, input.end()},
                                {weight.begin() + 2, weight.end()});
    }
    source.request.axis =
        from_the_front(layer->channels, std::ssize(inferred_.shape(source.value)));
    return source;
  }

  const Graph& graph_;
  Inferred inferred_;
  std::vector<int32_t> producers_;
  std::unordered_map<std::string, ValueId> ids_;
};

Part part_of(const Source& source) {
  const EvidenceRequest& request = source.request;
  if (is_sum(request.reduction)) return ChannelSums(request.axis);
  if (request.reduction == Reduction::covariance) return Covariances(request.axis);
  if (request.reduction == Reduction::pooled) return Pooled(request.axis);
  return Samples(request, source.window);
}

// The channel in which something wasn't finite.
std::optional<int64_t> bad_channel(const Part& part, const Tensor& answer) {
  if (const auto* sums = std::get_if<ChannelSums>(&part)) return sums->first_not_finite();
  return first_not_finite(answer);
}

Tensor answer_of(const Part& part, Reduction reduction) {
  if (const auto* sums = std::get_if<ChannelSums>(&part)) return sums->result(reduction);
  if (const auto* covariances = std::get_if<Covariances>(&part)) return covariances->result();
  if (const auto* pooled = std::get_if<Pooled>(&part)) return pooled->result();
  return std::get<Samples>(part).result();
}

}  // namespace

struct Collector::Impl {
  struct Entry {
    Source source;
    Part part;
  };
  std::vector<ValueId> values;
  std::vector<std::vector<size_t>> entries_of;  // by place in `values`
  std::vector<Entry> entries;
  std::vector<std::pair<EvidenceRequest, size_t>> requests;  // and their entries

  size_t entry_of(const Source& source);
  void see(size_t which, const ObservedValue& value);
};

size_t Collector::Impl::entry_of(const Source& source) {
  for (size_t e = 0; e < entries.size(); ++e) {
    const Source& other = entries[e].source;
    const bool sums = is_sum(source.request.reduction) && is_sum(other.request.reduction);
    if (sums && other.value == source.value && other.request.axis == source.request.axis) return e;
  }
  const auto found = std::ranges::find(values, source.value);
  const size_t place = found - values.begin();
  if (found == values.end()) {
    values.push_back(source.value);
    entries_of.emplace_back();
  }
  entries.push_back({source, part_of(source)});
  entries_of[place].push_back(entries.size() - 1);
  return entries.size() - 1;
}

void Collector::Impl::see(size_t which, const ObservedValue& value) {
  for (const size_t e : entries_of[which]) {
    std::visit([&](auto& part) { part.add(value); }, entries[e].part);
  }
}

Collector::Collector(const Graph& graph, std::span<const EvidenceRequest> requests)
    : impl_(std::make_unique<Impl>()) {
  const Sources sources(graph);
  for (const EvidenceRequest& request : requests) {
    impl_->requests.emplace_back(request, impl_->entry_of(sources.of(request)));
  }
}
Collector::~Collector() = default;
Collector::Collector(Collector&&) noexcept = default;
Collector& Collector::operator=(Collector&&) noexcept = default;

Observation Collector::observation() {
  return {impl_->values, [impl = impl_.get()](size_t which, const ObservedValue& value) {
            impl->see(which, value);
          }};
}

Evidence Collector::finish() const {
  Evidence evidence;
  for (const auto& [request, e] : impl_->requests) {
    const Part& part = impl_->entries[e].part;
    const Tensor answer = answer_of(part, request.reduction);
    if (answer.size() == 0) fail_input("value '" + request.value + "' has no elements to measure");
    if (const auto channel = bad_channel(part, answer)) {
      fail_input("value '" + request.value + "', channel " + std::to_string(*channel) +
                 ": found a NaN or an infinity, expected finite numbers; is the preprocessing "
                 "right?");
    }
    evidence.add(request, answer);
  }
  return evidence;
}

}  // namespace coppice
