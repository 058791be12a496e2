// Checkpoints whose checksum is right and whose contents are wrong: an Error, and never more memory
// than the file has bytes.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "session/state/checkpoint.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kMagic = "coppice checkpoint 3\n";
constexpr size_t kDigits = 64;

struct Parts {
  Json header;
  std::string rest;  // graph and tensors
};

Parts sound_parts() {
  SessionState state;
  state.graph = parse_text_graph(R"(
    input x float32 [N, 2]
    const w float32 [2, 3] random
    y = MatMul(x, w)
    output y)");
  state.history.resize(1);
  state.cursor.epoch = 1;
  state.history[0].held_out.emplace();
  state.history[0].held_out_after.emplace();
  state.stages = {{.stage = "pruning", .epochs = 0, .held_out = Evaluation{}}};
  state.graph.value(add_constant(state.graph, "v", Tensor::zeros(DType::f32, {3}))).copy_of = 1;
  state.optimizer.slots["momentum"]["w"] = Tensor::zeros(DType::f32, {2, 3});
  state.masks["w"] = Tensor::zeros(DType::f32, {2, 3});
  state.request = {{"--lr", "0.1"}};
  const TempDir folder;
  write_checkpoint(folder / "run", state);
  std::ostringstream text;
  text << std::ifstream(folder / "run", std::ios::binary).rdbuf();
  const std::string file = text.str();
  uint64_t size = 0;
  std::memcpy(&size, file.data() + kMagic.size(), sizeof size);
  const size_t begin = kMagic.size() + sizeof size;
  return {Json::parse(file.substr(begin, size)),
          file.substr(begin + size, file.size() - begin - size - kDigits)};
}

Buffer with_sum(std::string text) {
  Sha256 sum;
  sum.update(std::as_bytes(std::span(text)));
  text += sum.hex();
  const std::shared_ptr<std::byte> bytes(new std::byte[text.size()],
                                         std::default_delete<std::byte[]>());
  std::memcpy(bytes.get(), text.data(), text.size());
  return {bytes, text.size()};
}

std::string file_of(const std::string& header, const std::string& rest) {
  const uint64_t size = header.size();
  std::string text(kMagic);
  text.append(reinterpret_cast<const char*>(&size), sizeof size);
  return text + header + rest;
}

std::string message_of(const std::string& text) {
  return fake::message_of(ErrorKind::input, [&] { parse_checkpoint(with_sum(text)); });
}

// What is said of a sound file with one field changed.
std::string message_with(const std::string& pointer, const Json& value) {
  Parts parts = sound_parts();
  parts.header.at(Json::json_pointer(pointer)) = value;
  return message_of(file_of(parts.header.dump(), parts.rest));
}

TEST(HostileCheckpoint, put_together_again_unchanged_it_is_sound) {
  const Parts parts = sound_parts();
  EXPECT_EQ(message_of(file_of(parts.header.dump(), parts.rest)), "(no error)");
}

TEST(HostileCheckpoint, a_graph_larger_than_the_file_is_refused) {
  EXPECT_NE(message_with("/graph_bytes", INT64_MAX).find("it ends early"), std::string::npos);
}

TEST(HostileCheckpoint, tensors_larger_than_the_file_are_refused_before_memory_is_taken) {
  for (const Json& shape : {Json({int64_t{1} << 40}), Json({int64_t{1} << 61, 2}),
                            Json({int64_t{1} << 32, int64_t{1} << 32}), Json({2, 4})}) {
    SCOPED_TRACE(shape.dump());
    EXPECT_TRUE(message_with("/tensors/1/shape", shape).starts_with("mask of 'w': "));
  }
}

TEST(HostileCheckpoint, negative_sizes_and_unknown_types_are_refused) {
  EXPECT_EQ(message_with("/tensors/0/shape/0", -2),
            "its header is wrong: 'shape' is -2, expected a whole number from 0 up");
  for (const int64_t type : {0, 8, 99, 1 << 20}) {
    EXPECT_TRUE(message_with("/tensors/0/type", type).starts_with("momentum of 'w': elements of"));
  }
  EXPECT_EQ(message_with("/tensors/0/type", (int64_t{1} << 32) + 1),
            "its header is wrong: type 4294967297 of a tensor, expected less than 2147483648");
}

TEST(HostileCheckpoint, tensors_of_other_weights_or_of_other_shapes_are_refused) {
  EXPECT_EQ(message_with("/tensors/0/name", "v"), "momentum of 'v': the model has no such weight");
  EXPECT_EQ(message_with("/tensors/0/shape", Json({3, 2})),
            "momentum of 'w': float32 of shape 3x2, expected float32 of shape 2x3");
  EXPECT_EQ(message_with("/tensors/0/type", static_cast<int>(DType::i32)),
            "momentum of 'w': int32 of shape 2x3, expected float32 of shape 2x3");
}

TEST(HostileCheckpoint, every_field_of_another_kind_is_refused) {
  const Json flat = sound_parts().header.flatten();
  ASSERT_GT(flat.size(), 20u);
  for (const auto& [pointer, unused] : flat.items()) {
    for (const Json& value : {Json(nullptr), Json(true), Json::object(), Json({{"a", 1}})}) {
      EXPECT_NE(message_with(pointer, value), "(no error)") << pointer << " " << value.dump();
    }
  }
  for (const char* pointer : {"/cursor/epoch", "/cursor/batch", "/updates"}) {
    for (const Json& value : {Json(-1), Json(1.5), Json(1e300), Json(UINT64_MAX), Json("1")}) {
      EXPECT_NE(message_with(pointer, value), "(no error)") << pointer << " " << value.dump();
    }
  }
}

TEST(HostileCheckpoint, a_field_that_is_missing_is_named) {
  const Json header = sound_parts().header;
  for (const auto& [field, unused] : header.items()) {
    Parts parts = sound_parts();
    parts.header.erase(field);
    EXPECT_EQ(message_of(file_of(parts.header.dump(), parts.rest)),
              "its header is wrong: '" + field + "' is missing");
  }
}

TEST(HostileCheckpoint, a_header_that_is_no_object_is_refused) {
  const std::string deep(200000, '[');  // deeper than any stack
  for (const std::string& header :
       {std::string(), std::string("[]"), std::string("3"), std::string("{\"request\": \"\xff\"}"),
        deep, "{\"request\":[],\"stages\":" + deep + std::string(deep.size(), ']') + "}"}) {
    EXPECT_TRUE(message_of(file_of(header, "")).starts_with("its header is wrong"));
  }
}

TEST(HostileCheckpoint, a_name_that_no_bytes_make_is_refused) {
  EXPECT_EQ(message_with("/tensors/0/name", "\xe2\x82\xac"),
            "its header is wrong: a name has a character beyond 255, expected one for each byte");
}

TEST(HostileCheckpoint, sizes_that_lie_about_the_header_are_refused) {
  const Parts parts = sound_parts();
  std::string text = file_of(parts.header.dump(), parts.rest);
  const uint64_t huge = UINT64_MAX;
  std::memcpy(text.data() + kMagic.size(), &huge, sizeof huge);
  EXPECT_NE(message_of(text).find("it ends early"), std::string::npos);
  EXPECT_NE(message_of(std::string(kMagic) + "1234").find("it ends early"), std::string::npos);
}

TEST(HostileCheckpoint, one_of_another_version_is_named_and_says_what_to_do) {
  EXPECT_EQ(message_of("coppice checkpoint 2\n and more"),
            "it is a 'coppice checkpoint 2', this version goes on with a 'coppice checkpoint 3' "
            "only; finish the run with the version that began it, or delete it to start anew");
  EXPECT_EQ(message_of("something else altogether\n"),
            "it doesn't begin with 'coppice checkpoint 3'; delete it to start anew");
}

TEST(HostileCheckpoint, values_and_copies_that_the_model_has_not_are_refused) {
  EXPECT_EQ(message_with("/values/1", "v"), "its header has no number for value 'w' of the model");
  EXPECT_EQ(message_with("/copies/0/0", 77),
            "its header has a copy of value 1 as value 77, the model has 4");
  EXPECT_EQ(message_with("/copies/0/1", int64_t{1} << 40),
            "its header is wrong: 'copies' has value 1099511627776");
}

TEST(HostileCheckpoint, a_history_that_does_not_fit_the_stages_is_refused) {
  EXPECT_EQ(message_with("/stages/0/epochs", 2),
            "its header is wrong: stage 'pruning' has 2 epochs, the history only 1 for it");
  EXPECT_EQ(message_with("/cursor/epoch", 3),
            "its header is wrong: the history has 1 epochs of a stage that is at epoch 3");
}

TEST(HostileCheckpoint, bytes_that_nobody_asked_for_are_refused) {
  const Parts parts = sound_parts();
  EXPECT_EQ(message_of(file_of(parts.header.dump(), parts.rest + "abc")),
            "it has 3 bytes more than its header says");
}

}  // namespace
}  // namespace coppice
