// See measuring.h.
#include "session/queries/measuring.h"

#include <algorithm>

#include "core/error.h"
#include "data/loader.h"

namespace coppice {

ImagesToMeasure images_to_measure(const std::vector<int64_t>& from, int64_t wanted, Rest rest) {
  const int64_t count = std::ssize(from);
  COPPICE_CHECK(count > 0 && wanted > 0, "measuring on no images");
  const int64_t most = rest == Rest::judging ? std::max<int64_t>(1, count / 2) : count;
  std::vector<char> chosen(from.size(), 0);
  for (const int64_t place : sample_images(count, std::min(wanted, most))) chosen[place] = 1;
  ImagesToMeasure images;
  for (size_t i = 0; i < from.size(); ++i) {
    (chosen[i] ? images.measured : images.rest).push_back(from[i]);
  }
  return images;
}

}  // namespace coppice
