// SIGINT and SIGTERM, taken as a wish to stop in good order; the second of them ends the process at
// once, as a crash would, which is safe. Of several that are there the first one counts.
#pragma once

namespace rfm {

class StopSignal {
 public:
  StopSignal();   // Takes over both signals.
  ~StopSignal();  // Gives them back.
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool asked() const;
};

}  // namespace rfm
