// Ctrl-C. The first one sets a flag, which loops that take long poll, so that they stop between two
// steps and whatever they began to write is removed on the way out; a second one ends the program
// at once.
#pragma once

namespace coppice {

// SIGINT and SIGTERM as above. A file-size limit (SIGXFSZ) becomes an ordinary failed write.
void install_signal_handlers();

bool interrupt_requested();

}  // namespace coppice
