// `rfmstream evaluate clusters`: how near the online clusters stay to a batch fit, and how many
// clusters there should be.
#pragma once

#include "stream/app/command.h"

namespace rfm {

void add_clusters_command(CLI::App& evaluate, Invocation& invocation);

}  // namespace rfm
