// `rfmstream topics create|check`: the topics of an application.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_topics_command(CLI::App& app, Invocation& invocation);

}  // namespace rfm
