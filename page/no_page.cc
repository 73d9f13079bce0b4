// Stands in for the page where it is not built.
#include "admin/page_assets.h"

namespace rfm {

std::span<const Asset> page_assets() { return {}; }

}  // namespace rfm
