// `rfmstream replay`: a file or a range of a topic through the same pipeline.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_replay_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
