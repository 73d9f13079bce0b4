// A generated retail history as an input log in memory.
#pragma once

#include <cstdint>

#include "stream/generate/generated_records.h"
#include "tests/fake/memory_source.h"

namespace rfm {

enum class EventIds : std::uint8_t { kKept, kDropped };

struct HistoryOptions {
  GeneratorOptions generator;
  RecordTextOptions text;
  EventIds event_ids = EventIds::kKept;  // kDropped: so that invoices tell no more than lines.
  double duplicate_share = 0;            // Records that come twice, the second some records later.
  int partition_count = 1;
};

// Records are keyed by customer, and customers spread over the partitions by hash.
MemoryInput generated_history(const HistoryOptions& options);

}  // namespace rfm
