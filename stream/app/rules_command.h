// `rfmstream rules check | show | diff | dry-run | apply | rollback`
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_rules_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
