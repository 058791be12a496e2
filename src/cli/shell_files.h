// What a shell and `man` want to know of the command, written from the options that the commands
// declare, so that it is never out of date. 'coppice help --for bash' prints it;
// cmake/install.cmake puts it where shells look.
#pragma once

#include <string>

namespace coppice {

// Completions for "bash", "zsh" or "fish", the page "man" of the program, or "man:prune" of a
// command. Throws Error::usage for anything else.
std::string shell_file(const std::string& what);

}  // namespace coppice
