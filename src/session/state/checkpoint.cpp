// See checkpoint.h.
#include "session/state/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <fstream>

#include "core/error.h"
#include "core/files.h"
#include "onnx/onnx.h"
#include "session/state/beside_weights.h"
#include "session/state/checkpoint_header.h"

namespace coppice {
namespace {

constexpr std::string_view kAnyMagic = "coppice checkpoint ", kMagic = "coppice checkpoint 3\n";
constexpr size_t kDigits = 64;
// Places of tensors; any other is a slot of the optimizer.
constexpr std::string_view kMasks = "mask", kStill = "still", kMethod = "method",
                           kSnapshot = "snapshot ";

// Writes to the file and to the sum that ends it.
class Writer {
 public:
  explicit Writer(AtomicFile& file) : file_(file) {}
  void write(std::span<const std::byte> bytes) {
    file_.write(bytes);
    sum_.update(bytes);
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  void finish() { file_.write(sum_.hex()); }

 private:
  AtomicFile& file_;
  Sha256 sum_;
};

// Takes bytes from the front; what isn't there is an error.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}
  std::span<const std::byte> take(uint64_t bytes) {
    if (bytes > rest_.size()) {
      fail_input("it ends early: " + std::to_string(rest_.size()) + " bytes are left, expected " +
                 std::to_string(bytes));
    }
    const auto taken = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return taken;
  }
  std::string_view text(uint64_t bytes) {
    const auto taken = take(bytes);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  size_t left() const { return rest_.size(); }

 private:
  std::span<const std::byte> rest_;
};

// Every tensor beside the graph's own: its place, its name and itself.
template <typename State, typename Visit>
void for_each_tensor(State& state, const Visit& visit) {
  for (auto& [slot, tensors] : state.optimizer.slots) {
    for (auto& [name, tensor] : tensors) visit(slot, name, tensor);
  }
  for (auto& [name, tensor] : state.masks) visit(std::string(kMasks), name, tensor);
  for (auto& [name, tensor] : state.still) visit(std::string(kStill), name, tensor);
  for (auto& [snapshot, tensors] : state.snapshots) {
    for (auto& [name, tensor] : tensors) visit(std::string(kSnapshot) + snapshot, name, tensor);
  }
  for (auto& [name, tensor] : state.own.tensors) visit(std::string(kMethod), name, tensor);
}

// Where the tensors of a place lie.
NamedTensors& tensors_at(SessionState& state, const std::string& slot) {
  if (slot == kMasks) return state.masks;
  if (slot == kStill) return state.still;
  if (slot == kMethod) return state.own.tensors;
  if (slot.starts_with(kSnapshot)) return state.snapshots[slot.substr(kSnapshot.size())];
  return state.optimizer.slots[slot];
}

CheckpointHeader header_of(const SessionState& state) {
  CheckpointHeader header{.state = state,
                          .graph_bytes = static_cast<int64_t>(onnx_bytes(state.graph)),
                          .order = order_of(state.graph),
                          .tensors = {}};
  for_each_tensor(state, [&](const std::string& slot, const std::string& name, const Tensor& t) {
    header.tensors.push_back({slot, name, t.dtype(), t.shape()});
  });
  return header;
}

// The bytes are there before memory for them is asked for.
Tensor take_tensor(Reader& reader, const TensorPlace& place) {
  const uint64_t count = element_count(place.shape), size = size_of(place.dtype);
  if (size == 0) fail_input("elements of " + name_of(place.dtype) + ", expected a size");
  if (count > reader.left() / size) {
    fail_input("it ends early: " + std::to_string(reader.left()) + " bytes are left, expected " +
               std::to_string(count) + " elements of " + std::to_string(size));
  }
  const auto bytes = reader.take(count * size);
  Tensor tensor = Tensor::zeros(place.dtype, place.shape);
  if (count > 0) std::memcpy(tensor.mutate_bytes().data(), bytes.data(), bytes.size());
  return tensor;
}

Graph take_graph(Reader& reader, uint64_t size) {
  const auto bytes = reader.take(size);
  const Buffer copy = allocate_buffer(bytes.size());
  std::ranges::copy(bytes, copy.data.get());
  return parse_onnx(copy);
}

// What lies beside the weights has their shapes: cuts and trainers rely on it.
void require_fits(const Tensor& tensor, const TensorPlace& place,
                  const ConstantsByName& constants) {
  const Tensor* const found = constants.find(place.name);
  if (found == nullptr) fail_input("the model has no such weight");
  const Tensor& weight = *found;
  const DType dtype = place.slot == kCodesSlot ? DType::i32 : DType::f32;
  if (tensor.dtype() != dtype || tensor.shape() != weight.shape()) {
    fail_input(name_of(tensor.dtype()) + " of shape " + to_string(tensor.shape()) + ", expected " +
               name_of(dtype) + " of shape " + to_string(weight.shape()));
  }
}

void take_tensors(Reader& reader, const std::vector<TensorPlace>& places, SessionState& state) {
  const ConstantsByName constants(state.graph);
  for (const TensorPlace& place : places) {
    within(place.slot + " of '" + place.name + "'", [&] {
      Tensor tensor = take_tensor(reader, place);
      if (place.slot != kMethod) require_fits(tensor, place, constants);
      tensors_at(state, place.slot)[place.name] = std::move(tensor);
    });
  }
}

std::span<const std::byte> require_sum(const Buffer& file) {
  if (file.size < kDigits) fail_input("too short to be one");
  const auto bytes = file.bytes(), body = bytes.first(bytes.size() - kDigits);
  Sha256 sum;
  sum.update(body);
  const std::string found = sum.hex();
  if (std::memcmp(found.data(), bytes.last(kDigits).data(), kDigits) != 0) {
    fail_input("its checksum is wrong: it was cut short or changed; delete it to start anew");
  }
  return body;
}

void require_format(std::string_view line) {
  if (line == kMagic) return;
  const auto shown = [](std::string_view text) {
    return "'" + std::string(text.substr(0, text.find('\n'))) + "'";
  };
  if (!line.starts_with(kAnyMagic)) {
    fail_input("it doesn't begin with " + shown(kMagic) + "; delete it to start anew");
  }
  fail_input("it is a " + shown(line) + ", this version goes on with a " + shown(kMagic) +
             " only; finish the run with the version that began it, or delete it to start anew");
}

}  // namespace

bool is_checkpoint(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string begin(kAnyMagic.size(), '\0');
  return file.read(begin.data(), std::ssize(begin)) && begin == kAnyMagic;
}

void write_checkpoint(const std::filesystem::path& path, const SessionState& state) {
  AtomicFile file(path);
  Writer writer(file);
  const std::string header = header_text(header_of(state));
  const uint64_t size = header.size();
  writer.write(kMagic);
  writer.write(std::as_bytes(std::span(&size, 1)));
  writer.write(header);
  serialise_onnx(
      state.graph, [&](std::span<const std::byte> piece) { writer.write(piece); },
      Halves::as_computed);
  for_each_tensor(state, [&](const std::string&, const std::string&, const Tensor& tensor) {
    writer.write(tensor.bytes());
  });
  writer.finish();
  file.commit();
}

SessionState parse_checkpoint(const Buffer& file) {
  Reader reader(require_sum(file));
  require_format(reader.text(kMagic.size()));
  uint64_t size = 0;
  std::memcpy(&size, reader.take(sizeof size).data(), sizeof size);
  CheckpointHeader header = parse_header(reader.text(size));
  SessionState state = std::move(header.state);
  state.graph = take_graph(reader, header.graph_bytes);
  restore_order(state.graph, header.order);
  take_tensors(reader, header.tensors, state);
  if (reader.left() > 0) {
    fail_input("it has " + std::to_string(reader.left()) + " bytes more than its header says");
  }
  return state;
}

SessionState read_checkpoint(const std::filesystem::path& path) {
  return within("checkpoint '" + path.string() + "'",
                [&] { return parse_checkpoint(read_file(path)); });
}

void require_same(const Request& now, const Request& before) {
  if (const auto difference = first_difference(now, before, "the run began with")) {
    fail_usage("--resume: " + *difference + "; give the same, or delete its folder to start anew");
  }
}

}  // namespace coppice
