// `rfmstream health`: whether the service of these settings is alive, for containers to ask.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_health_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
