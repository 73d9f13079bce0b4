// `rfmstream serve`.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_serve_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
