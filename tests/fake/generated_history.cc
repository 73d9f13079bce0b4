#include "tests/fake/generated_history.h"

#include <random>
#include <string>
#include <utility>

#include "state/hashes.h"

namespace rfm {
namespace {

void drop_event_id(std::string& value) {
  const std::size_t begin = value.find("\"event_id\":");
  if (begin == std::string::npos) return;
  value.erase(begin, value.find(',', begin) + 1 - begin);
}

}  // namespace

MemoryInput generated_history(const HistoryOptions& options) {
  GeneratedRecords records(options.generator, options.text);
  MemoryInput input(static_cast<std::size_t>(options.partition_count));
  std::mt19937_64 random(options.generator.seed);
  const auto happens = [&](double share) {
    return static_cast<double>(random() >> 11) * 0x1p-53 < share;
  };
  std::vector<std::pair<std::size_t, MemoryRecord>> again;
  while (const auto record = records.next()) {
    MemoryRecord copy{.key = std::string(record->key),
                      .value = std::nullopt,
                      .received_ms = to_ms(record->emitted_at)};
    if (record->value) copy.value = std::string(*record->value);
    if (copy.value && options.event_ids == EventIds::kDropped) drop_event_id(*copy.value);
    const std::size_t partition = customer_hash(record->key) % input.size();
    if (happens(options.duplicate_share)) again.emplace_back(partition, copy);
    input[partition].push_back(std::move(copy));
    if (!again.empty() && happens(.1)) {
      again.back().second.received_ms = to_ms(record->emitted_at);
      input[again.back().first].push_back(std::move(again.back().second));
      again.pop_back();
    }
  }
  return input;
}

}  // namespace rfm
