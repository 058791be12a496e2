// Where what can be made again is kept between runs.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace coppice {

// The user's cache folder for Coppice, XDG_CACHE_HOME/coppice or ~/.cache/coppice, or a part of it;
// it needn't be there. Empty where neither variable is set.
std::string cache_folder(const std::string& part = "");

// What has this key, in a folder of the cache: named by the key's hash. `ending`: ".json".
std::filesystem::path cache_file(const std::string& folder, const std::string& key,
                                 const std::string& ending);

// Writes it, making its folder first. Where that fails, it is made again the next time, no more.
void keep_in_cache(const std::filesystem::path& file, std::string_view text);

}  // namespace coppice
