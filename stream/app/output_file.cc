#include "stream/app/output_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace rfm {

void OutputFile::Closer::operator()(std::FILE* file) const noexcept {
  if (file != stdout) std::fclose(file);
}

absl::StatusOr<OutputFile> OutputFile::open(const std::string& path, Place place) {
  OutputFile output;
  output.path_ = path == "-" ? "standard output" : path;
  if (path == "-") {
    output.file_.reset(stdout);
    return output;
  }
  std::error_code unresolved;
  const std::filesystem::path resolved = std::filesystem::weakly_canonical(path, unresolved);
  if (!unresolved) output.path_ = resolved.string();
  const bool is_special = std::filesystem::exists(output.path_, unresolved) &&
                          !std::filesystem::is_regular_file(output.path_, unresolved);
  if (place == Place::kBeside && !is_special) output.part_ = output.path_ + ".part";
  const std::string& written = output.part_.empty() ? output.path_ : output.part_;
  output.file_.reset(std::fopen(written.c_str(), "wb"));
  if (output.file_) return output;
  const int error = errno;
  output.part_.clear();
  return absl::FailedPreconditionError(
      fmt::format("{} cannot be written: {}", output.path_, std::strerror(error)));
}

OutputFile::~OutputFile() {
  if (!file_ || part_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(part_, ignored);
}

absl::Status OutputFile::failed(std::string_view what) const {
  return absl::ResourceExhaustedError(
      fmt::format("{} could not be {}: {}", path_, what, std::strerror(errno)));
}

absl::Status OutputFile::write(std::string_view bytes) {
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size();
  return written ? absl::OkStatus() : failed("written");
}

absl::Status OutputFile::flush() {
  return std::fflush(file_.get()) == 0 ? absl::OkStatus() : failed("written");
}

absl::Status OutputFile::finish() {
  if (absl::Status flushed = flush(); !flushed.ok()) return flushed;
  if (file_.get() == stdout) return absl::OkStatus();
  if (!part_.empty() && std::rename(part_.c_str(), path_.c_str()) != 0) return failed("replaced");
  part_.clear();
  return std::fclose(file_.release()) == 0 ? absl::OkStatus() : failed("closed");
}

}  // namespace rfm
