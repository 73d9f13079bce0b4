// Invents records of one input format and spoils many of them, one field or the whole form at a
// time. Seeded: the same seed gives the same records everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "stream/record/record.h"

namespace rfm {

struct OwnedRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
};

class RecordMutator {
 public:
  RecordMutator(InputFormat format, std::uint64_t seed) : format_(format), rng_(seed) {}

  // A third of the records are as good as new, the others have one to three mutations. Invoice
  // times go on by about ten minutes per record from 2011-01-01; 200 customers.
  OwnedRecord next();

 private:
  // Name and JSON or CSV text of each field, in order.
  using Fields = std::vector<std::pair<std::string, std::string>>;

  std::uint64_t below(std::uint64_t end) { return rng_() % end; }
  Fields invent_fields(const std::string& customer);
  Fields invent_line(const std::string& customer);
  Fields invent_invoice(const std::string& customer);
  std::string invent_lines();
  std::string write(const Fields& fields);
  void mutate_field(Fields& fields);
  void mutate_bytes(std::string& text);
  void mutate_key(OwnedRecord& record);
  std::string extreme_value();

  InputFormat format_;
  std::mt19937_64 rng_;
  std::int64_t count_ = 0;
  std::string previous_value_;  // Material for splices.
};

}  // namespace rfm
