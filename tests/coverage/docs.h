// The table of docs/coverage.md.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "coverage/row.h"

namespace coppice {

// What Torch-Pruning made of a network: MACs left in %, or what went wrong.
using Peer = std::map<std::string, std::string>;
// Of the file that tests/exports/peer_torch_pruning.py writes; none where there is no such file.
Peer read_peer(const std::filesystem::path& file);

// A row of the table, which was run today.
std::vector<std::string> cells(const Row& row, const Peer& peer);

// Puts the row into the document, in place of that of the same model.
void write_row(const std::filesystem::path& document, const Row& row, const Peer& peer);

}  // namespace coppice
