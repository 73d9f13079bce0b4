// `rfmstream evaluate churn|clusters`: what the models of a run are worth, from the run itself.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_evaluate_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
