// `rfmstream inspect`: everything a state directory holds of one customer, and what comes next.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_inspect_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
