#include "stream/app/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace rfm {

Progress::Progress(std::string verb, std::string unit)
    : verb_(std::move(verb)), unit_(std::move(unit)), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::update(std::uint64_t done, std::optional<double> fraction, std::string_view detail) {
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + (terminal_ ? std::chrono::milliseconds{200} : std::chrono::milliseconds{5'000});
  show(done, fraction, detail);
}

void Progress::finish(std::uint64_t done, std::string_view detail) {
  if (!shown_) return;
  show(done, std::nullopt, detail);
  if (terminal_) fmt::print(stderr, "\n");
}

void Progress::show(std::uint64_t done, std::optional<double> fraction, std::string_view detail) {
  shown_ = true;
  const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  std::string line = fmt::format("{} {} {}", verb_, grouped(done), unit_);
  if (fraction) line += fmt::format(" ({:.0f} %)", *fraction * 100);
  if (seconds > 0)
    line += fmt::format(", {}/s",
                        grouped(static_cast<std::uint64_t>(static_cast<double>(done) / seconds)));
  if (!detail.empty()) line += fmt::format(", {}", detail);
  if (terminal_) {
    fmt::print(stderr, "\r{}\x1b[K", line);
  } else {
    fmt::print(stderr, "{}\n", line);
  }
  std::fflush(stderr);
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

}  // namespace rfm
