#include "stream/kafka/kafka_record.h"

#include <librdkafka/rdkafka.h>

#include <vector>

namespace rfm {
namespace {

std::vector<RecordHeader> read_headers(const void* record) {
  std::vector<RecordHeader> result;
  const auto* const message = static_cast<const rd_kafka_message_t*>(record);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return result;
  result.reserve(rd_kafka_header_cnt(headers));
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    RecordHeader& header = result.emplace_back();
    header.name = name;
    if (value != nullptr) header.value.emplace(static_cast<const char*>(value), size);
  }
  return result;
}

}  // namespace

void show(const rd_kafka_message_s& message, RecordView& view) {
  view.key.reset();
  if (message.key != nullptr)
    view.key.emplace(static_cast<const char*>(message.key), message.key_len);
  view.value.reset();
  if (message.payload != nullptr)
    view.value.emplace(static_cast<const char*>(message.payload), message.len);
  view.headers = LazyHeaders(read_headers, &message);
  view.offset = message.offset;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  view.received_ms = rd_kafka_message_timestamp(&message, &type);
  view.received_by_broker = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
}

}  // namespace rfm
