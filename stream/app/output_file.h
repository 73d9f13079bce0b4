// A file that a command writes, or standard output.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rfm {

class OutputFile {
 public:
  enum class Place : unsigned char {
    kBeside,  // In PATH.part until it is whole; what is there already stays until then.
    kItself,  // For whoever reads on while it grows.
  };

  // "-": standard output. What is no regular file (a device, a pipe) is written as it is; links are
  // followed.
  static absl::StatusOr<OutputFile> open(const std::string& path, Place place);

  OutputFile(OutputFile&& other) noexcept = default;
  OutputFile& operator=(OutputFile&& other) noexcept = default;
  // Without `finish`: what was written beside is removed.
  ~OutputFile();

  absl::Status write(std::string_view bytes);
  absl::Status flush();
  // All is there.
  absl::Status finish();

 private:
  struct Closer {
    void operator()(std::FILE* file) const noexcept;
  };

  OutputFile() = default;
  absl::Status failed(std::string_view what) const;

  std::string path_;
  std::string part_;  // Empty: the file itself is written.
  std::unique_ptr<std::FILE, Closer> file_;
};

}  // namespace rfm
