// The compressed container `.coppice`: a Graph to few bytes, and those bytes to the ONNX file
// again.
//
// Lossless: decoding gives just the bytes of the graph's file, or those that serialise_onnx writes.
// What makes a model small (pruning, weight sharing) happened before; this module finds zeros,
// shared values and skewed exponents, and stores each tensor in the form that takes the fewest
// bytes. docs/format.md describes the format byte by byte.
//
// No byte of a tensor's section stands for more than kMaxExpansion elements, so a hostile file
// can't ask for more than that factor in memory; readers check it before they allocate. Source of
// storage and accounting: S. Han, H. Mao, W. J. Dally, "Deep Compression: Compressing deep neural
// networks with pruning, trained quantization and Huffman coding", ICLR 2016, arXiv 1510.00149.
// Differs: smaller storages are used where `coder` allows it (see Coder).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/files.h"
#include "graph/graph.h"

namespace coppice {

struct CodecOptions {
  enum class Coder {
    smallest,  // of all storages the one with the fewest bytes
    huffman,   // the paper's: relative indices and codes, Huffman-coded, wherever that is smaller
               // than the tensor itself; no adaptive coder but for codebooks and tables
    context,   // the adaptive coder wherever it applies
  };
  Coder coder = Coder::smallest;
  int index_bits = 0;  // of relative indices, 1 to 12; 0: the width with the fewest bits
};

struct TensorReport {
  std::string name;
  std::string storage;  // "contexts, codes by contexts", for people
  int64_t elements = 0;
  int64_t nonzeros = 0;  // elements with any bit set: -0.0 is one
  int64_t distinct = 0;  // different nonzero values; -1 where they exceed 65535
  int64_t bytes = 0;     // in the file, with frame and checksum

  // The paper's accounting, in bits, whatever the storage (section 5 and Tables 2 to 5 there):
  //   P      E * (w + b_i)                                       w bits an element, as in the model
  //   P+Q    E * (b_w + b_i) + w * 2^b_w
  //   P+Q+H  Huffman lengths of both streams + w * 2^b_w         without the tables, as there
  // where E = nonzeros + fillers, b_i = index_bits, and b_w = ceil(log2(distinct + 1)) (code 0 is
  // the filler). Where more than three quarters of the nonzeros differ (or distinct is -1), weights
  // aren't shared, and P+Q and P+Q+H are P.
  double p_bits = 0, pq_bits = 0, pqh_bits = 0;
  int index_bits = 0;  // the option, else the one with the smallest P+Q+H
  int64_t fillers = 0;
  // Memoryless bound: N * h(s) + nonzeros * H(V | nonzero) + w * distinct, where s is the share of
  // nonzeros, h the binary entropy and H the entropy of the nonzeros' values. Where weights aren't
  // shared, nonzeros * w stands for the last two.
  double bound_bits = 0;
};

struct CodecReport {
  int64_t bytes_before = 0;  // of the ONNX file
  int64_t bytes_after = 0;
  int64_t graph_bytes = 0;  // of the graph's section, with frame and checksum
  std::vector<TensorReport> tensors;
};

inline constexpr uint64_t kMaxExpansion = 16384;

// Calls `sink` with consecutive pieces of the container. `original`: the ONNX file that the graph
// was read from, which decoding then gives back byte by byte, whoever wrote it; empty: decoding
// gives what serialise_onnx writes. The same graph, options and original give the same bytes.
// Throws Error::usage for an index width out of range.
CodecReport encode(const Graph& graph, const CodecOptions& options,
                   const std::function<void(std::span<const std::byte>)>& sink,
                   std::span<const std::byte> original = {});

// The ONNX file's bytes. Throws Error::input for whatever is not a sound container, naming the
// section; for one of a newer version, that version.
Buffer decode(const Buffer& file);

// The bytes begin like a container, of whatever version.
bool is_container(std::span<const std::byte> bytes);

}  // namespace coppice
