// `rfmstream segments`: the segmentations that there are, and one of them with its axes, segments
// and map.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_segments_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
