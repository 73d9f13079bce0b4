// `rfmstream generate`: a synthetic retail history into a file or the input topic.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_generate_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
