// `rfmstream export`: all customers of a state directory as a table.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_export_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
