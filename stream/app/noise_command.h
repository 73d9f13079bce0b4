// `rfmstream evaluate noise`: how many transitions a history makes, and how many are worth an
// action.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_noise_command(CLI::App& evaluate, Invocation& invocation);

}  // namespace rfm
