// Output that nobody wants: a replay for its state or its figures only.
#pragma once

#include "stream/record/output_sink.h"

namespace rfm {

class NullSink final : public OutputSink {
 public:
  bool keeps(OutputTopic) const override { return false; }
  absl::Status append(OutputTopic, std::optional<PartitionId>, std::optional<std::string_view>,
                      std::optional<std::string_view>, std::span<const Header>) override {
    return absl::OkStatus();
  }
  absl::StatusOr<CommitReceipt> commit(const CommitRequest&) override { return CommitReceipt{}; }
  void abandon() noexcept override {}
};

}  // namespace rfm
