// `rfmstream run`: the service on Kafka.
#pragma once

#include "stream/app/command.h"
#include "stream/record/commit_observer.h"

namespace rfm {

// `observer` watches the commits and outlives the invocation; null: nobody does.
void add_run_command(CLI::App& app, Invocation& invocation, CommitObserver* observer);

}  // namespace rfm
