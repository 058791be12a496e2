// What was probably meant by a name that isn't there.
#pragma once

#include <string>
#include <vector>

namespace coppice {

// Of `names` those that are most like `word`, the likest first, `most` at best: few letters to
// change, leave out, add or swap, or one contains the other. Of names as like the first by order.
std::vector<std::string> nearest(const std::string& word, const std::vector<std::string>& names,
                                 size_t most);
// "; did you mean 'prune'?", or nothing where none is like it.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& names);

}  // namespace coppice
