// `rfmstream import`: UCI Online Retail into JSON lines or the input topic.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_import_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
