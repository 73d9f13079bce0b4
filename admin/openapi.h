// docs/openapi.json, as it is built into the binary.
#pragma once

#include <string_view>

namespace rfm {

std::string_view openapi_json();

}  // namespace rfm
