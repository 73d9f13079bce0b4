// Presets after published maps. A source that leaves cells empty or claims them twice was made
// total as its note says.
#pragma once

#include <string>
#include <vector>

#include "model/segmentation_spec.h"

namespace rfm {

struct Preset {
  SegmentationSpec spec;
  std::string note;  // What it is, where it comes from, how it was made total.
};

std::vector<Preset> published_presets();

}  // namespace rfm
