// Where values lie while a graph becomes steps.
//
// A value is produced in one layout (its natural one, chosen by oneDNN) and copied into another
// only when a reader asks for it; every copy is remembered. Plain means row-major. Values that
// oneDNN can't describe (other types, more than six axes, no elements) are only ever plain, with a
// description that counts their bytes.
//
// Layers come in running order, between `begin` and `end`: reads of later layers are what keeps a
// buffer from being written over, and a constant that no later layer reads is freed.
#pragma once

#include <dnnl.hpp>
#include <string>
#include <utility>
#include <vector>

#include "runtime/compile/layers.h"
#include "runtime/compile/plan.h"
#include "runtime/sparse/choices.h"

namespace coppice::runtime {

using Description = dnnl::memory::desc;

struct Location {
  BufferId buffer = -1;
  Description desc;
};

Description plain_description(const Shape& shape);
// Row-major elements of `shape` seen with other strides, for transposed weights.
Description strided_description(const Shape& shape, const Shape& strides);

class Lowering {
 public:
  // `graph` loses its constants as they are used up.
  Lowering(Graph& graph, const Inferred& inferred, SparseChoices choices);

  void begin(const Layer& layer);
  void cancel(const Layer& layer);  // undoes `begin`; nothing must have been placed
  void end(const Layer& layer);
  Plan finish();  // brings the outputs into place

  const Graph& graph() const { return graph_; }
  const Node& node(const Layer& layer) const { return graph_.nodes[layer.nodes[0]]; }
  const Inferred& inferred() const { return inferred_; }
  const dnnl::engine& engine() const { return engine_; }
  const Shape& shape(ValueId id) const { return inferred_.shape(id); }
  DType dtype(ValueId id) const { return inferred_.types[id]->dtype; }
  const Tensor* constant(ValueId id) const;
  // float32, one to six axes, not empty.
  bool describable(ValueId id) const;
  Description plain_description_of(ValueId id) const;

  Location natural(ValueId id);
  // The same, but plain where it lies in planes: no primitive of oneDNN reads those fast, and none
  // writes the zeros between.
  Location packed(ValueId id);
  Location plain(ValueId id);
  Location as(ValueId id, const Description& desc);
  Location reorder(const Location& from, const Description& desc);
  // `from` in row-major order, seen as `shape`, which has as many elements.
  Location plain(const Location& from, const Shape& shape);
  // How a layer runs sparse; nothing where it runs dense.
  const SparseVariant* sparse_variant(const Layer& layer) const;
  const Isa* sparse_product(const Layer& layer) const;
  Planes planes(ValueId id) const { return choices_.sizes.of(shape(id)); }
  Description planes_description(ValueId id) const;
  // Whether `id` may be written over now: nobody reads it later, in any layout, it is the arena's,
  // and its memory is none of the memory that `others` lie in.
  bool may_overwrite(ValueId id, std::span<const ValueId> others) const;

  Location place(ValueId id, const Description& desc);  // in new memory
  void place_in(ValueId id, const Location& location);  // in memory that is there already
  Location allocate(const Description& desc);           // of no value
  // Constant memory with the elements of `tensor`, brought from one layout to another now.
  Location pack(const Tensor& tensor, const Description& from, const Description& to);
  Location pack(const Tensor& tensor);  // as it is

  // Adds a step under the current layer's name. `kind`: the layer's own where empty.
  void add_step(std::vector<BufferId> buffers, std::function<void(Pointers)> run,
                const std::string& kind = "");
  void set_work(Work work);  // of the last step
  void add_primitive(const dnnl::primitive_desc_base& desc, const dnnl::primitive& primitive,
                     std::vector<std::pair<int, Location>> arguments, const std::string& kind = "");

 private:
  BufferId add_buffer(size_t bytes, Home home);
  bool read_later(BufferId buffer) const;
  void bring_output(int32_t index);
  std::optional<Planes> planes_of(const Description& desc) const;  // nothing: not in planes

  Graph& graph_;
  const Inferred& inferred_;
  SparseChoices choices_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  Plan plan_;
  std::vector<std::vector<Location>> locations_;  // by value; the natural one first
  std::vector<std::vector<ValueId>> residents_;   // by buffer
  std::vector<int32_t> reads_;                    // by value, of layers to come
  std::string name_, kind_;
};

}  // namespace coppice::runtime
