// What makes a customer one of a segmentation's segments.
#pragma once

#include <string>

#include "model/segmentation.h"

namespace rfm {

// "recency, frequency, monetary", "groups of alike customers": two segmentations may have segments
// of one name.
std::string basis_text(const Segmentation& segmentation);

}  // namespace rfm
