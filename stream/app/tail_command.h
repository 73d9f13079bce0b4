// `rfmstream tail`: an output topic as lines for people.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_tail_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
