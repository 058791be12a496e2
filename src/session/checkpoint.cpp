// See checkpoint.h.
#include "session/checkpoint.h"

#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "onnx/onnx.h"

namespace coppice {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kMagic = "coppice checkpoint 1\n";
constexpr size_t kDigits = 64;
constexpr char kMasks[] = "mask";

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
  explicit Reader(const Buffer& buffer) : owner_(buffer.data), rest_(buffer.bytes()) {}
  std::span<const std::byte> take(uint64_t bytes) {
    if (bytes > rest_.size()) {
      fail_input("ends early: " + std::to_string(rest_.size()) + " bytes are left, expected " +
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
  std::shared_ptr<std::byte> owner_;
  std::span<const std::byte> rest_;
};

Json to_json(const Evaluation& evaluation) {
  return {{"top1", evaluation.top1},   {"top5", evaluation.top5},
          {"loss", evaluation.loss},   {"images", evaluation.images},
          {"batch", evaluation.batch}, {"images_per_second", evaluation.images_per_second}};
}

Evaluation evaluation_of(const Json& json) {
  return {.top1 = json.at("top1"),
          .top5 = json.at("top5"),
          .loss = json.at("loss").is_null() ? std::numeric_limits<double>::quiet_NaN()
                                            : json.at("loss").get<double>(),
          .images = json.at("images"),
          .batch = json.at("batch"),
          .images_per_second = json.at("images_per_second")};
}

Json to_json(const EpochRecord& record) {
  Json json = {{"stage", record.stage},     {"epoch", record.epoch},
               {"epochs", record.epochs},   {"learning_rate", record.learning_rate},
               {"loss", record.loss},       {"top1", record.top1},
               {"seconds", record.seconds}, {"images_per_second", record.images_per_second}};
  if (record.held_out) json["held_out"] = to_json(*record.held_out);
  return json;
}

EpochRecord record_of(const Json& json) {
  EpochRecord record{.stage = json.at("stage"),
                     .epoch = json.at("epoch"),
                     .epochs = json.at("epochs"),
                     .learning_rate = json.at("learning_rate"),
                     .loss = json.at("loss"),
                     .top1 = json.at("top1"),
                     .held_out = {},
                     .seconds = json.at("seconds"),
                     .images_per_second = json.at("images_per_second")};
  if (json.contains("held_out")) record.held_out = evaluation_of(json.at("held_out"));
  return record;
}

Json to_json(const TrainingCursor& cursor) {
  return {{"epoch", cursor.epoch},     {"batch", cursor.batch},   {"loss", cursor.loss},
          {"correct", cursor.correct}, {"images", cursor.images}, {"seconds", cursor.seconds}};
}

TrainingCursor cursor_of(const Json& json) {
  return {.epoch = json.at("epoch"),
          .batch = json.at("batch"),
          .loss = json.at("loss"),
          .correct = json.at("correct"),
          .images = json.at("images"),
          .seconds = json.at("seconds")};
}

// Every tensor beside the graph's own: its place, its name and itself.
template <typename State, typename Visit>
void for_each_tensor(State& state, const Visit& visit) {
  for (auto& [slot, tensors] : state.optimizer.slots) {
    for (auto& [name, tensor] : tensors) visit(slot, name, tensor);
  }
  for (auto& [name, tensor] : state.masks) visit(kMasks, name, tensor);
}

Json header_of(const SessionState& state) {
  Json history = Json::array(), tensors = Json::array();
  for (const EpochRecord& record : state.history) history.push_back(to_json(record));
  for_each_tensor(state, [&](const std::string& slot, const std::string& name, const Tensor& t) {
    tensors.push_back({{"slot", slot},
                       {"name", name},
                       {"type", static_cast<int32_t>(t.dtype())},
                       {"shape", t.shape()}});
  });
  return {{"request", state.request},
          {"stages_done", state.stages_done},
          {"cursor", to_json(state.cursor)},
          {"history", history},
          {"plan", coppice::to_json(state.plan)},
          {"updates", state.optimizer.updates},
          {"graph_bytes", onnx_bytes(state.graph)},
          {"tensors", tensors}};
}

Tensor take_tensor(Reader& reader, const Json& place) {
  const auto type = static_cast<DType>(place.at("type").get<int32_t>());
  Tensor tensor = Tensor::zeros(type, place.at("shape").get<Shape>());
  const auto bytes = tensor.mutate_bytes();
  std::memcpy(bytes.data(), reader.take(bytes.size()).data(), bytes.size());
  return tensor;
}

Graph take_graph(Reader& reader, uint64_t size) {
  const auto bytes = reader.take(size);
  Buffer copy{
      std::shared_ptr<std::byte>(new std::byte[bytes.size()], std::default_delete<std::byte[]>()),
      bytes.size()};
  std::memcpy(copy.data.get(), bytes.data(), bytes.size());
  return parse_onnx(copy);
}

SessionState state_of(Reader& reader, const Json& header) {
  SessionState state;
  state.request = header.at("request").get<Request>();
  state.stages_done = header.at("stages_done");
  state.cursor = cursor_of(header.at("cursor"));
  for (const Json& record : header.at("history")) state.history.push_back(record_of(record));
  state.plan = plan_from_json(header.at("plan").get<std::string>());
  state.optimizer.updates = header.at("updates");
  state.graph = take_graph(reader, header.at("graph_bytes"));
  for (const Json& place : header.at("tensors")) {
    const std::string slot = place.at("slot"), name = place.at("name");
    Tensor tensor = take_tensor(reader, place);
    (slot == kMasks ? state.masks : state.optimizer.slots[slot])[name] = std::move(tensor);
  }
  return state;
}

void require_sum(const Buffer& file) {
  if (file.size < kDigits) fail_input("too short to be one");
  const auto bytes = file.bytes();
  Sha256 sum;
  sum.update(bytes.first(bytes.size() - kDigits));
  const std::string found = sum.hex();
  if (std::memcmp(found.data(), bytes.last(kDigits).data(), kDigits) != 0) {
    fail_input("its checksum is wrong: it was cut short or changed; delete it to start anew");
  }
}

std::string quoted(const std::string& value) {
  return value.empty() ? "nothing" : "'" + value + "'";
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const SessionState& state) {
  AtomicFile file(path);
  Writer writer(file);
  const std::string header = header_of(state).dump();
  const uint64_t size = header.size();
  writer.write(kMagic);
  writer.write(std::as_bytes(std::span(&size, 1)));
  writer.write(header);
  serialise_onnx(state.graph, [&](std::span<const std::byte> piece) { writer.write(piece); });
  for_each_tensor(state, [&](const std::string&, const std::string&, const Tensor& tensor) {
    writer.write(tensor.bytes());
  });
  writer.finish();
  file.commit();
}

SessionState read_checkpoint(const std::filesystem::path& path) {
  return within("checkpoint '" + path.string() + "'", [&] {
    const Buffer file = read_file(path);
    require_sum(file);
    Reader reader(file);
    if (reader.text(kMagic.size()) != kMagic) fail_input("not a checkpoint of this version");
    uint64_t size = 0;
    std::memcpy(&size, reader.take(sizeof size).data(), sizeof size);
    try {
      return state_of(reader, Json::parse(reader.text(size)));
    } catch (const nlohmann::json::exception& error) {
      fail_input(std::string("its header is wrong: ") + error.what());
    }
  });
}

void require_same(const Request& now, const Request& before) {
  const auto value = [](const Request& request, const std::string& option) {
    for (const auto& [name, text] : request) {
      if (name == option) return text;
    }
    return std::string();
  };
  for (const Request& request : {before, now}) {
    for (const auto& [option, unused] : request) {
      const std::string was = value(before, option), is = value(now, option);
      if (was == is) continue;
      fail_usage("--resume: " + option + " is " + quoted(is) + ", the run began with " +
                 quoted(was) + "; give the same, or delete its folder to start anew");
    }
  }
}

}  // namespace coppice
