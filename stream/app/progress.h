// Progress of long work on standard error: silent for the first second, then one line that is
// rewritten (on a terminal) or one line every few seconds (elsewhere).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rfm {

class Progress {
 public:
  // "generated", "records"
  Progress(std::string verb, std::string unit);

  // Cheap enough to be called every few thousand records. `fraction` in [0, 1], if the end is
  // known. `detail` is appended as it is.
  void update(std::uint64_t done, std::optional<double> fraction, std::string_view detail);

  // The last line, if anything has been shown.
  void finish(std::uint64_t done, std::string_view detail);

 private:
  void show(std::uint64_t done, std::optional<double> fraction, std::string_view detail);

  using Clock = std::chrono::steady_clock;

  std::string verb_;
  std::string unit_;
  Clock::time_point started_ = Clock::now();
  Clock::time_point next_ = started_ + std::chrono::seconds{1};
  bool terminal_ = false;
  bool shown_ = false;
};

// "1,234,567"
std::string grouped(std::uint64_t number);

}  // namespace rfm
