// A bounded run of the pipeline: a file, standard input or a range of a topic in; files or nothing
// out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/decode/input_review.h"
#include "stream/pipeline/customer_places.h"
#include "stream/pipeline/lane.h"
#include "stream/run/replay_options.h"

namespace rfm {

struct ReplayProgress {
  std::uint64_t records = 0;
  std::optional<double> fraction;  // Of the input's bytes, where known.
  EventTime event_time = kBeforeAll;
};

class Replay {
 public:
  // Restores what an earlier replay left in the state directory, truncates the output to it and
  // goes on from there.
  static absl::StatusOr<std::unique_ptr<Replay>> open(const ReplayOptions& options,
                                                      const Clock& clock);
  ~Replay();

  // Before `run`; it outlives the run.
  void observe(LaneObserver& observer);

  // To the end of the input, then the clocks to `until` (default: the highest event time + lateness
  // + settle). `progress` is called about every tenth of a second, and may end the run early by
  // returning false: what is done is committed. InvalidArgument as soon as a file's dates turn out
  // to be in an order that has to be set.
  absl::Status run(const std::function<bool(const ReplayProgress&)>& progress);

  // A CSV's encoding, separator and columns as they were found; empty: the input is none.
  std::string input_found() const;
  // What is odd about a file; nothing of a topic.
  InputReview& review();
  SplitCustomers split_customers() const;

  const Lane& lane() const;
  const Rules& rules() const;  // The newest.
  // After `run`: the model log, by trained epoch.
  const std::vector<ModelVersion>& versions() const;

 private:
  class Implementation;
  explicit Replay(std::unique_ptr<Implementation> implementation);

  std::unique_ptr<Implementation> implementation_;
};

}  // namespace rfm
