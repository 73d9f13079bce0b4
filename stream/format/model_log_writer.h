// Where the trainer's records go. Seam: a topic, a state directory, or memory in tests.
#pragma once

#include <span>

#include "absl/status/status.h"
#include "stream/format/model_log.h"

namespace rfm {

class ModelLogWriter {
 public:
  ModelLogWriter() = default;
  ModelLogWriter(const ModelLogWriter&) = delete;
  ModelLogWriter& operator=(const ModelLogWriter&) = delete;
  virtual ~ModelLogWriter() = default;

  // Makes `records` durable, all or none, in order. kAborted: none, try again. kPermissionDenied:
  // another trainer has taken over. Others: unknown, read the log before publishing again.
  virtual absl::Status publish(std::span<const ModelLogRecord> records) = 0;
};

}  // namespace rfm
