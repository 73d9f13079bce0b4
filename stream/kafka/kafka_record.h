// A librdkafka message as a record.
#pragma once

#include "stream/kafka/kafka_handles.h"
#include "stream/record/record.h"

namespace rfm {

// Makes `view` show `message`, and live as long as it.
void show(const rd_kafka_message_s& message, RecordView& view);

}  // namespace rfm
