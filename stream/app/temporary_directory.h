// A directory of this process' own, gone with the object.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace rfm {

class TemporaryDirectory {
 public:
  static absl::StatusOr<TemporaryDirectory> make();

  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  TemporaryDirectory& operator=(TemporaryDirectory&& other) = delete;
  ~TemporaryDirectory();

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace rfm
