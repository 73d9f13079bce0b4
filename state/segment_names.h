// Numbers for the names of segmentations and segments, so that what is stored of moves is short: in
// the order in which the versions of the rules bring them, which the model log says.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "state/time_context.h"

namespace rfm {

class SegmentNames {
 public:
  // What `logs` refers to outlives it.
  explicit SegmentNames(const TimeContext& logs);

  // Of rules that are known.
  std::uint32_t id_of(std::string_view name);
  // Empty: no name has that number.
  std::string_view name_of(std::uint32_t id);

 private:
  void follow();
  void add(const std::string& name);
  void add_all(const Rules& rules);

  TimeContext logs_;
  std::int64_t version_ = 0;  // Of the last rules whose names are here.
  std::map<std::string, std::uint32_t, std::less<>> ids_;
  std::vector<std::string> names_;  // By id.
};

}  // namespace rfm
