// The requests topic of an application: where commands ask, and the process with the trainer
// listens.
#pragma once

#include <memory>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "stream/format/request.h"
#include "stream/kafka/kafka_options.h"
#include "stream/kafka/kafka_reader.h"

namespace rfm {

// Durable when it returns; whether anybody is there to take it up is another matter.
absl::Status send_request(const KafkaOptions& options, const Request& request);

class RequestListener {
 public:
  explicit RequestListener(const KafkaOptions& options) : options_(options) {}

  // Calls `on_request` for what is new, at first all there is. What cannot be read is warned of and
  // passed over. An error: no broker answers; call again.
  absl::Status listen(absl::FunctionRef<void(const Request&)> on_request);

 private:
  KafkaOptions options_;
  std::unique_ptr<KafkaReader> reader_;
  Offset next_ = kFromBeginning;
};

}  // namespace rfm
