// A line of a file that holds a whole record: {"key":K,"headers":{...},"value":V}, as our own
// output files have it.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "stream/record/record.h"

namespace rfm {

// Whether the first member of the JSON object in `line` is one of an envelope.
bool looks_like_envelope(std::string_view line);

// One belongs to one thread.
class EnvelopeReader {
 public:
  EnvelopeReader();
  ~EnvelopeReader();

  // Key, value and headers of the record, or nothing: then `line` is no envelope and stands for
  // itself. V null is a tombstone, V a string (or "value_base64" instead) the value's bytes, any
  // other V the value as it is written. Views live as long as `line` and until `clear`.
  std::optional<RecordView> read(std::string_view line);

  // Ends the life of all views.
  void clear();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace rfm
