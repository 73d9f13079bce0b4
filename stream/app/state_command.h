#pragma once

#include "stream/app/command.h"

namespace rfm {

// `rfmstream state snapshot`: a backup of a state directory.
void add_state_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
