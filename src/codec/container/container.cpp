// See codec.h; docs/format.md has the layout.
//
// Decoding goes over the file twice: first every section's checksum and size, then, with the size
// of the whole known to be justified, one allocation that all tensors are decoded into.

#include <zstd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>

#include "codec/coders/relative_index.h"
#include "codec/container/codec.h"
#include "codec/container/frame.h"
#include "codec/container/split.h"
#include "codec/tensor/choose.h"
#include "core/error.h"
#include "core/threads.h"
#include "graph/passes/halves.h"

namespace coppice {
namespace {

using namespace codec;

// As PNG does it: a byte beyond ASCII, and the line ends that a transfer as text would change.
constexpr std::array<uint8_t, 8> kMagic = {0x89, 'C', 'P', 'C', '\r', '\n', 0x1a, '\n'};
constexpr uint64_t kVersion = 1;
constexpr int kZstdLevel = 19;

std::string place_of(uint64_t tensor, uint64_t tensors) {
  return "tensor " + std::to_string(tensor + 1) + " of " + std::to_string(tensors);
}

// --- writing

Bytes compressed(const Bytes& bytes) {
  Bytes packed(ZSTD_compressBound(bytes.size()));
  const size_t size =
      ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), kZstdLevel);
  COPPICE_CHECK(!ZSTD_isError(size), "zstd compresses what fits its bound");
  packed.resize(size);
  return packed;
}

// Where the tensors belong, and all else.
Bytes graph_section(const SplitFile& file) {
  Bytes plain;
  append_varint(plain, file.holes.size());
  for (const Hole& hole : file.holes) append_varint(plain, hole.before);
  append(plain, file.rest);
  Bytes section;
  append_varint(section, plain.size());
  append(section, compressed(plain));
  const uint64_t least = (plain.size() + kMaxExpansion - 1) / kMaxExpansion;
  if (section.size() < least) section.resize(least);
  return section;
}

// --- reading

struct GraphSection {
  Bytes plain;
  std::vector<uint64_t> before;     // bytes of rest before each tensor
  std::span<const std::byte> rest;  // within plain
};

GraphSection parse_graph(std::span<const std::byte> section) {
  ByteReader reader(section);
  const uint64_t size = reader.varint(kMaxExpansion * section.size(), "size");
  const auto packed = reader.rest();
  // Zeros may follow the frame.
  const size_t frame = ZSTD_findFrameCompressedSize(packed.data(), packed.size());
  if (ZSTD_isError(frame)) fail_input("its zstd frame is damaged");
  GraphSection graph;
  graph.plain.resize(size);
  const size_t found = ZSTD_decompress(graph.plain.data(), size, packed.data(), frame);
  if (ZSTD_isError(found)) {
    fail_input(std::string("zstd: ") + ZSTD_getErrorName(found) + ", expected " +
               std::to_string(size) + " bytes");
  }
  if (found != size) {
    fail_input(std::to_string(found) + " bytes, expected " + std::to_string(size));
  }
  ByteReader plain(graph.plain);
  const uint64_t holes = plain.varint(plain.left(), "tensors");
  for (uint64_t i = 0; i < holes; ++i) graph.before.push_back(plain.varint());
  graph.rest = plain.rest();
  return graph;
}

uint64_t take_version(ByteReader& reader) {
  if (!is_container(reader.take(std::min(reader.left(), kMagic.size())))) {
    fail_input("no compressed model: it doesn't begin like one");
  }
  const uint64_t version = reader.varint();
  if (version > kVersion) {
    fail_input("written in version " + std::to_string(version) + " of the format, expected " +
               std::to_string(kVersion) + "; use a newer coppice");
  }
  if (version == 0) fail_input("version 0, expected " + std::to_string(kVersion));
  return version;
}

struct Sections {
  uint64_t file_bytes = 0;
  GraphSection graph;
  std::vector<std::span<const std::byte>> tensors;
};

Sections parse_sections(const Buffer& file) {
  ByteReader reader(file.bytes());
  take_version(reader);
  Sections sections;
  uint64_t tensors = 0;
  within("header", [&] {
    ByteReader header(take_section(reader));
    sections.file_bytes = header.varint();
    tensors = header.varint(reader.left(), "tensors");
    if (header.left() > 0) fail_input(std::to_string(header.left()) + " bytes more, expected none");
  });
  within("graph", [&] {
    sections.graph = parse_graph(take_section(reader));
    if (sections.graph.before.size() != tensors) {
      fail_input("places for " + std::to_string(sections.graph.before.size()) +
                 " tensors, expected " + std::to_string(tensors));
    }
  });
  uint64_t bytes = sections.graph.rest.size();
  for (uint64_t i = 0; i < tensors; ++i) {
    within(place_of(i, tensors), [&] {
      sections.tensors.push_back(take_section(reader));
      bytes += parse_head(sections.tensors.back()).bytes();
    });
  }
  if (reader.left() > 0) {
    fail_input("after the last tensor " + std::to_string(reader.left()) + " bytes, expected none");
  }
  if (bytes != sections.file_bytes) {
    fail_input("its sections stand for " + std::to_string(bytes) + " bytes, expected " +
               std::to_string(sections.file_bytes));
  }
  return sections;
}

// Tensors and where each is decoded to. All in parallel, as that is what takes the time of loading:
// the largest are dealt out first, so that threads have about as much to do.
struct TensorPlace {
  std::span<const std::byte> section;
  std::span<std::byte> elements;
  size_t index;
};

void decode_tensors(std::vector<TensorPlace> places) {
  std::ranges::stable_sort(places, std::greater(),
                           [](const TensorPlace& place) { return place.elements.size(); });
  const size_t count = places.size(), lanes = static_cast<size_t>(thread_count());
  parallel_for(static_cast<int64_t>(std::min(lanes, count)), 1, [&](int64_t begin, int64_t end) {
    for (auto lane = static_cast<size_t>(begin); lane < static_cast<size_t>(end); ++lane) {
      for (size_t i = lane; i < count; i += lanes) {
        within(place_of(places[i].index, count),
               [&] { decode_tensor(places[i].section, places[i].elements); });
      }
    }
  });
}

}  // namespace

CodecReport encode(const Graph& computed, const CodecOptions& options,
                   const std::function<void(std::span<const std::byte>)>& sink,
                   std::span<const std::byte> original) {
  if (options.index_bits < 0 || options.index_bits > kMaxIndexBits) {
    fail_usage("relative indices of " + std::to_string(options.index_bits) +
               " bits, expected 1 to " + std::to_string(kMaxIndexBits) + ", or 0 to choose");
  }
  Graph graph = computed;
  narrow_halves(graph);
  CodecReport report;
  const auto write = [&](std::span<const std::byte> bytes) {
    sink(bytes);
    report.bytes_after += static_cast<int64_t>(bytes.size());
  };
  const auto write_section = [&](const Bytes& payload) {
    const int64_t before = report.bytes_after;
    for_each_piece(payload, write);
    return report.bytes_after - before;
  };
  const SplitFile file = original.empty() ? split_file(graph) : split_file(graph, original);
  report.bytes_before = static_cast<int64_t>(file.file_bytes);
  Bytes start, header;
  append(start, std::as_bytes(std::span(kMagic)));
  append_varint(start, kVersion);
  append_varint(header, file.file_bytes);
  append_varint(header, file.holes.size());
  write(start);
  write_section(header);
  report.graph_bytes = write_section(graph_section(file));
  for (const Hole& hole : file.holes) {
    const Value& value = graph.value(hole.value);
    TensorSection section = encode_tensor(*value.constant, options);
    section.report.name = value.name;
    section.report.bytes = write_section(section.bytes);
    report.tensors.push_back(std::move(section.report));
  }
  return report;
}

Buffer decode(const Buffer& file) {
  const Sections sections = parse_sections(file);
  Buffer result = allocate_buffer(sections.file_bytes);
  std::span<std::byte> left(result.data.get(), result.size);
  const auto advance = [&](uint64_t bytes) {
    const auto taken = left.first(bytes);
    left = left.subspan(bytes);
    return taken;
  };
  ByteReader rest(sections.graph.rest);
  const auto copy_rest = [&](uint64_t bytes) {
    const auto taken = rest.take(bytes);  // before `advance`, which checks nothing
    std::ranges::copy(taken, advance(bytes).begin());
  };
  std::vector<TensorPlace> places;
  for (size_t i = 0; i < sections.tensors.size(); ++i) {
    within("graph", [&] { copy_rest(sections.graph.before[i]); });
    const std::span<const std::byte> section = sections.tensors[i];
    places.push_back({section, advance(parse_head(section).bytes()), i});
  }
  copy_rest(rest.left());
  decode_tensors(std::move(places));
  return result;
}

bool is_container(std::span<const std::byte> bytes) {
  const auto magic = std::as_bytes(std::span(kMagic));
  return bytes.size() >= magic.size() && std::ranges::equal(bytes.first(magic.size()), magic);
}

}  // namespace coppice
