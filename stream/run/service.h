// The service on Kafka: lanes, trainer and state of one instance, from start to SIGTERM, through
// every failure that a restart of the pipeline mends. Start-up is recovery: whatever goes wrong,
// everything is dropped and rebuilt from the last commit.
#pragma once

#include "absl/status/status.h"
#include "stream/record/clock.h"
#include "stream/run/service_host.h"
#include "stream/run/service_options.h"

namespace rfm {

// Runs until the host's `should_stop`, through every failure that beginning again from the last
// commit mends (stream/run/reaction.h). An error is one that it does not: wrong settings, foreign
// or damaged state, missing topics, another process under this instance's name, another instance;
// or the last commit at a stop did not come about, and what was not committed is read again.
absl::Status run_service(const ServiceOptions& options, ServiceHost& host, const Clock& clock);

}  // namespace rfm
