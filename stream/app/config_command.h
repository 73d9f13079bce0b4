// `rfmstream config`: what the settings are and whether they are right.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_config_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
