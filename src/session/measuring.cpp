// See measuring.h.
#include "session/measuring.h"

#include <algorithm>

#include "core/error.h"
#include "data/loader.h"

namespace coppice {

PicturesToMeasure pictures_to_measure(const std::vector<int64_t>& from, int64_t wanted, Rest rest) {
  const int64_t count = std::ssize(from);
  COPPICE_CHECK(count > 0 && wanted > 0, "measuring on no pictures");
  const int64_t most = rest == Rest::judging ? std::max<int64_t>(1, count / 2) : count;
  std::vector<char> chosen(from.size(), 0);
  for (const int64_t place : sample_pictures(count, std::min(wanted, most))) chosen[place] = 1;
  PicturesToMeasure pictures;
  for (size_t i = 0; i < from.size(); ++i) {
    (chosen[i] ? pictures.measured : pictures.rest).push_back(from[i]);
  }
  return pictures;
}

}  // namespace coppice
