// rfmstream report
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_report_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
