#include "stream/pipeline/held_records.h"

namespace rfm {

void HeldRecords::add(const RecordView& record) {
  Copy& copy = copies_.emplace_back();
  copy.view = record;
  if (record.key) copy.view.key = copy.key.emplace(*record.key);
  if (record.value) copy.view.value = copy.value.emplace(*record.value);
  for (const RecordHeader& header : record.headers.read()) {
    RecordHeader& kept = copy.headers.emplace_back();
    kept.name = copy.header_texts.emplace_back(header.name);
    if (header.value) kept.value = copy.header_texts.emplace_back(*header.value);
  }
  copy.view.headers = LazyHeaders(copy.headers);
}

std::span<const RecordView> HeldRecords::views() {
  views_.clear();
  for (const Copy& copy : copies_) views_.push_back(copy.view);
  return views_;
}

void HeldRecords::clear() {
  copies_.clear();
  views_.clear();
}

}  // namespace rfm
