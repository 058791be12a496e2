// See checkpoint_header.h.
#include "session/state/checkpoint_header.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace coppice {
namespace {

using Json = nlohmann::ordered_json;

std::string utf8_of(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xc0 | byte >> 6);
      text += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return text;
}

[[noreturn]] void fail_header(const std::string& reason) {
  fail_input("its header is wrong: " + reason);
}

std::string bytes_of(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
      bytes += text[i];
      continue;
    }
    if (first > 0xc3 || ++i == text.size()) {
      fail_header("a name has a character beyond 255, expected one for each byte");
    }
    bytes += static_cast<char>((first & 0x03) << 6 | (text[i] & 0x3f));
  }
  return bytes;
}

// Every name in a plan, through `change`.
Plan with_names(Plan plan, std::string (*change)(const std::string&)) {
  for (std::string* name : {&plan.model_file, &plan.model_sha256, &plan.method, &plan.output}) {
    *name = change(*name);
  }
  for (PlanSlice& slice : plan.slices) {
    slice.tensor = change(slice.tensor);
    if (slice.use) slice.use->node = change(slice.use->node);
  }
  for (MaskFile& mask : plan.mask_files) {
    mask.tensor = change(mask.tensor);
    mask.file = change(mask.file);
  }
  return plan;
}

Json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

// Fields by name; whatever isn't what it should be is an error that says which.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {}

  const Json& at(const char* name) const {
    if (!json_.is_object() || !json_.contains(name)) {
      fail_header("'" + std::string(name) + "' is missing");
    }
    return json_.at(name);
  }
  const Json& list(const char* name) const {
    if (!at(name).is_array()) fail_field(name, "a list");
    return at(name);
  }
  std::string text(const char* name) const {
    if (!at(name).is_string()) fail_field(name, "a text");
    return bytes_of(at(name).get<std::string>());
  }
  // A count: never negative.
  int64_t integer(const char* name) const { return integer(at(name), name); }
  static int64_t integer(const Json& json, const char* name) {
    const bool fits = json.is_number_unsigned() && json.get<uint64_t>() <= uint64_t{INT64_MAX};
    if (!fits) fail_field(json, name, "a whole number from 0 up");
    return json.get<int64_t>();
  }
  double real(const char* name) const {
    const Json& json = at(name);
    if (json.is_number()) return json.get<double>();
    if (json == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (json != "inf" && json != "-inf") fail_field(name, "a number");
    const double infinity = std::numeric_limits<double>::infinity();
    return json == "inf" ? infinity : -infinity;
  }

 private:
  void fail_field(const char* name, const char* expected) const {
    fail_field(at(name), name, expected);
  }
  [[noreturn]] static void fail_field(const Json& json, const char* name, const char* expected) {
    // Writing what is nested deeply would need as much stack.
    const std::string found = json.is_structured() ? json.type_name() : json.dump().substr(0, 40);
    fail_header("'" + std::string(name) + "' is " + found + ", expected " + expected);
  }

  const Json& json_;
};

Json to_json(const Evaluation& evaluation) {
  return {{"top1", number(evaluation.top1)},
          {"top5", number(evaluation.top5)},
          {"loss", number(evaluation.loss)},
          {"images", evaluation.images},
          {"batch", evaluation.batch},
          {"images_per_second", number(evaluation.images_per_second)}};
}

Evaluation evaluation_of(const Fields& fields) {
  return {.top1 = fields.real("top1"),
          .top5 = fields.real("top5"),
          .loss = fields.real("loss"),
          .images = fields.integer("images"),
          .batch = fields.integer("batch"),
          .images_per_second = fields.real("images_per_second")};
}

Json to_json(const Facts& facts) {
  Json list = Json::array();
  for (const auto& [name, value] : facts) {
    list.push_back({{"name", utf8_of(name)}, {"value", number(value)}});
  }
  return list;
}

Facts facts_in(const Json& json) {
  Facts facts;
  if (!json.contains("facts")) return facts;
  for (const Json& fact : Fields(json).list("facts")) {
    const Fields fields(fact);
    facts.emplace_back(fields.text("name"), fields.real("value"));
  }
  return facts;
}

Json to_json(const EpochRecord& record) {
  Json json = {{"stage", utf8_of(record.stage)},
               {"epoch", record.epoch},
               {"epochs", record.epochs},
               {"learning_rate", number(record.learning_rate)},
               {"loss", number(record.loss)},
               {"seconds", number(record.seconds)},
               {"images_per_second", number(record.images_per_second)},
               {"optimizer", utf8_of(record.optimizer)},
               {"largest_rate", number(record.largest_rate)}};
  if (record.top1) json["top1"] = number(*record.top1);
  if (record.held_out) json["held_out"] = to_json(*record.held_out);
  if (record.held_out_after) json["held_out_after"] = to_json(*record.held_out_after);
  if (!record.facts.empty()) json["facts"] = to_json(record.facts);
  return json;
}

std::optional<Evaluation> evaluation_in(const Json& json, const char* name) {
  if (!json.contains(name)) return std::nullopt;
  return evaluation_of(Fields(json.at(name)));
}

EpochRecord record_of(const Json& json) {
  const Fields fields(json);
  return {.stage = fields.text("stage"),
          .epoch = fields.integer("epoch"),
          .epochs = fields.integer("epochs"),
          .learning_rate = fields.real("learning_rate"),
          .optimizer = fields.text("optimizer"),
          .largest_rate = fields.real("largest_rate"),
          .loss = fields.real("loss"),
          .top1 = json.contains("top1") ? std::optional(fields.real("top1")) : std::nullopt,
          .held_out = evaluation_in(json, "held_out"),
          .held_out_after = evaluation_in(json, "held_out_after"),
          .seconds = fields.real("seconds"),
          .images_per_second = fields.real("images_per_second"),
          .facts = facts_in(json)};
}

Json to_json(const StageRecord& record) {
  Json json = {{"stage", utf8_of(record.stage)}, {"epochs", record.epochs}};
  if (record.held_out) json["held_out"] = to_json(*record.held_out);
  if (!record.facts.empty()) json["facts"] = to_json(record.facts);
  return json;
}

StageRecord stage_of(const Json& json) {
  const Fields fields(json);
  return {.stage = fields.text("stage"),
          .epochs = fields.integer("epochs"),
          .held_out = evaluation_in(json, "held_out"),
          .facts = facts_in(json)};
}

Json to_json(const TrainingCursor& cursor) {
  return {{"epoch", cursor.epoch},       {"batch", cursor.batch},
          {"loss", number(cursor.loss)}, {"correct", cursor.correct},
          {"images", cursor.images},     {"seconds", number(cursor.seconds)}};
}

TrainingCursor cursor_of(const Fields& fields) {
  return {.epoch = fields.integer("epoch"),
          .batch = fields.integer("batch"),
          .loss = fields.real("loss"),
          .correct = fields.integer("correct"),
          .images = fields.integer("images"),
          .seconds = fields.real("seconds")};
}

Json to_json(const Request& request) {
  Json options = Json::array();
  for (const auto& [option, value] : request) {
    options.push_back(Json::array({utf8_of(option), utf8_of(value)}));
  }
  return options;
}

Json to_json(const std::vector<std::pair<ValueId, ValueId>>& copies) {
  Json pairs = Json::array();
  for (const auto& [copy, original] : copies) pairs.push_back(Json::array({copy, original}));
  return pairs;
}

ValueId number_of(const Json& json) {
  const int64_t number = Fields::integer(json, "copies");
  if (number > INT32_MAX) fail_header("'copies' has value " + std::to_string(number));
  return static_cast<ValueId>(number);
}

ValueOrder order_of(const Fields& fields) {
  ValueOrder order;
  for (const Json& name : fields.list("values")) {
    if (!name.is_string()) fail_header("'values' is no list of names");
    order.names.push_back(bytes_of(name.get<std::string>()));
  }
  for (const Json& pair : fields.list("copies")) {
    if (!pair.is_array() || pair.size() != 2) fail_header("'copies' is no list of pairs");
    order.copies.emplace_back(number_of(pair[0]), number_of(pair[1]));
  }
  return order;
}

Request request_of(const Json& options) {
  Request request;
  for (const Json& option : options) {
    const bool sound =
        option.is_array() && option.size() == 2 && option[0].is_string() && option[1].is_string();
    if (!sound) fail_header("'request' is no list of options and values");
    request.emplace_back(bytes_of(option[0].get<std::string>()),
                         bytes_of(option[1].get<std::string>()));
  }
  return request;
}

void require_history_of_stages(const SessionState& state) {
  int64_t left = std::ssize(state.history);
  for (const StageRecord& stage : state.stages) {
    if (stage.epochs > left) {
      fail_header("stage '" + stage.stage + "' has " + std::to_string(stage.epochs) +
                  " epochs, the history only " + std::to_string(left) + " for it");
    }
    left -= stage.epochs;
  }
  if (state.cursor.epoch != left) {
    fail_header("the history has " + std::to_string(left) + " epochs of a stage that is at epoch " +
                std::to_string(state.cursor.epoch));
  }
}

TensorPlace place_of(const Json& json) {
  const Fields fields(json);
  if (const int64_t type = fields.integer("type"); type > INT32_MAX) {
    fail_header("type " + std::to_string(type) + " of a tensor, expected less than 2147483648");
  }
  TensorPlace place{.slot = fields.text("slot"),
                    .name = fields.text("name"),
                    .dtype = static_cast<DType>(fields.integer("type")),
                    .shape = {}};
  for (const Json& size : fields.list("shape")) {
    place.shape.push_back(Fields::integer(size, "shape"));
  }
  return place;
}

}  // namespace

std::string header_text(const CheckpointHeader& header) {
  const SessionState& state = header.state;
  Json stages = Json::array(), history = Json::array(), values = Json::array(),
       tensors = Json::array();
  for (const StageRecord& record : state.stages) stages.push_back(to_json(record));
  for (const EpochRecord& record : state.history) history.push_back(to_json(record));
  for (const std::string& name : header.order.names) values.push_back(utf8_of(name));
  for (const TensorPlace& place : header.tensors) {
    tensors.push_back({{"slot", utf8_of(place.slot)},
                       {"name", utf8_of(place.name)},
                       {"type", static_cast<int32_t>(place.dtype)},
                       {"shape", place.shape}});
  }
  const Json json = {{"request", to_json(state.request)},
                     {"stages", stages},
                     {"cursor", to_json(state.cursor)},
                     {"history", history},
                     {"plan", coppice::to_json(with_names(state.plan, utf8_of))},
                     {"updates", state.optimizer.updates},
                     {"method", utf8_of(state.own.text)},
                     {"graph_bytes", header.graph_bytes},
                     {"values", values},
                     {"copies", to_json(header.order.copies)},
                     {"tensors", tensors}};
  return json.dump();
}

CheckpointHeader parse_header(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    const Fields fields(json);
    CheckpointHeader header;
    SessionState& state = header.state;
    state.request = request_of(fields.list("request"));
    for (const Json& record : fields.list("stages")) state.stages.push_back(stage_of(record));
    state.cursor = cursor_of(Fields(fields.at("cursor")));
    for (const Json& record : fields.list("history")) state.history.push_back(record_of(record));
    require_history_of_stages(state);
    // Its names were made UTF-8 before, so the text around them is plain.
    state.plan = with_names(plan_from_json(fields.at("plan").get<std::string>()), bytes_of);
    state.optimizer.updates = fields.integer("updates");
    state.own.text = fields.text("method");
    header.graph_bytes = fields.integer("graph_bytes");
    header.order = order_of(fields);
    for (const Json& place : fields.list("tensors")) header.tensors.push_back(place_of(place));
    return header;
  } catch (const nlohmann::json::exception& error) {
    fail_header(error.what());
  }
}

}  // namespace coppice
