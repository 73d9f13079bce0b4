// The files of the page, as the build embeds them. Empty where it was built without (RFM_PAGE).
#pragma once

#include <span>
#include <string_view>

namespace rfm {

struct Asset {
  std::string_view path;  // As it is served: "/" or "/assets/NAME.HASH.EXTENSION".
  std::string_view content_type;
  std::string_view bytes;  // gzip.
  std::string_view etag;   // With its quotation marks.
};

// Live as long as the program.
std::span<const Asset> page_assets();

}  // namespace rfm
