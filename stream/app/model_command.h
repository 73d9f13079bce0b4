// `rfmstream model show | promote`
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_model_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
