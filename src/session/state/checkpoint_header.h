// The header of a checkpoint: everything but the bytes of the graph and of the tensors, as JSON.
//
// Names and values are bytes to us (paths and old models aren't always UTF-8), and JSON holds only
// UTF-8: each byte from 0x80 on is written as the character of that number. Numbers that aren't
// finite are written as text: "nan", "inf", "-inf".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "session/state/checkpoint.h"
#include "session/state/value_order.h"

namespace coppice {

struct TensorPlace {
  std::string slot, name;
  DType dtype = DType::undefined;
  Shape shape;
};

struct CheckpointHeader {
  SessionState state;  // without graph and tensors
  int64_t graph_bytes = 0;
  ValueOrder order;  // of the graph's values
  std::vector<TensorPlace> tensors;
};

// The graph and the tensors that `header.state` may hold are ignored.
std::string header_text(const CheckpointHeader& header);
// Throws Error::input naming the field that is missing or of the wrong kind.
CheckpointHeader parse_header(std::string_view text);

}  // namespace coppice
