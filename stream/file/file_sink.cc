#include "stream/file/file_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "state/assertion.h"
#include "stream/text/json_text.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

constexpr std::size_t kBufferMax = 1U << 20U;
constexpr mode_t kFileMode = 0644;

struct OutputFile {
  OutputTopic topic;
  const char* name;
};
constexpr std::array<OutputFile, 4> kOutputFiles = {{
    {OutputTopic::kTransitions, "transitions.jsonl"},
    {OutputTopic::kSegments, "segments.jsonl"},
    {OutputTopic::kDeadLetters, "dead-letters.jsonl"},
    {OutputTopic::kReceipts, "receipts.jsonl"},
}};

absl::Status file_error(int error, std::string_view what, const std::filesystem::path& path) {
  return absl::ErrnoToStatus(error, fmt::format("{} {}", what, path.string()));
}

// What goes out as JSON comes with a key and headers of ours: only a dead letter's may be no text.
bool is_text(std::string_view bytes, LineValue line_value) {
  return line_value == LineValue::kJson || is_utf8(bytes);
}

void write_base64(JsonText& out, std::string_view bytes) {
  out.text(absl::Base64Escape({bytes.data(), bytes.size()}));
}

// `"name":...`, or `"name":null,"name_base64":...` for what is not text.
void write_member(JsonText& out, std::string_view name, std::string_view base64_name,
                  std::optional<std::string_view> value, LineValue line_value) {
  out.key(name);
  if (value && is_text(*value, line_value)) return out.text(*value);
  out.raw("null");
  if (value) write_base64(out.key(base64_name), *value);
}

void write_headers(JsonText& out, std::span<const Header> headers, LineValue line_value) {
  out.key("headers").begin_object();
  for (const Header& header : headers) {
    out.name(header.name);
    if (is_text(header.value, line_value)) {
      out.text(header.value);
    } else {
      out.begin_object();
      write_base64(out.key("base64"), header.value);
      out.end_object();
    }
  }
  out.end_object();
}

// A new file's name is durable only once its directory is.
absl::Status sync_directory(const std::filesystem::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return file_error(errno, "cannot open", directory);
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return error == 0 ? absl::OkStatus() : file_error(error, "cannot sync", directory);
}

}  // namespace

absl::StatusOr<JsonLinesFile> JsonLinesFile::open(const std::filesystem::path& path,
                                                  std::uint64_t committed_length) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (fd < 0) return file_error(errno, "cannot open", path);
  JsonLinesFile file(fd, path, committed_length);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        fmt::format("{} is being written by another process; name another directory, or wait until "
                    "it has ended",
                    path.string()));
  }
  struct stat status {};
  if (::fstat(fd, &status) != 0) return file_error(errno, "cannot examine", path);
  const auto length = static_cast<std::uint64_t>(status.st_size);
  if (length < committed_length) {
    return absl::DataLossError(
        fmt::format("{} has {} bytes, but {} were committed; it belongs to another state or was "
                    "cut: go on with the output directory of the runs before, or begin anew with "
                    "another state and output directory",
                    path.string(), length, committed_length));
  }
  return file;
}

JsonLinesFile::JsonLinesFile(int fd, std::filesystem::path path, std::uint64_t length)
    : fd_(fd), path_(std::move(path)), written_(length), committed_(length) {
  buffer_.room(kBufferMax + kBufferMax / 4);
}

JsonLinesFile::JsonLinesFile(JsonLinesFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      buffer_(std::move(other.buffer_)),
      written_(other.written_),
      committed_(other.committed_),
      is_cut_(other.is_cut_) {}

JsonLinesFile& JsonLinesFile::operator=(JsonLinesFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(buffer_, other.buffer_);
  std::swap(written_, other.written_);
  std::swap(committed_, other.committed_);
  std::swap(is_cut_, other.is_cut_);
  return *this;
}

JsonLinesFile::~JsonLinesFile() {
  if (fd_ >= 0) ::close(fd_);
}

absl::Status JsonLinesFile::append(std::optional<std::string_view> key,
                                   std::optional<std::string_view> value,
                                   std::span<const Header> headers, LineValue line_value) {
  RFM_ASSERT(is_cut_);
  JsonText out(buffer_);
  out.begin_object();
  write_member(out, "key", "key_base64", key, line_value);
  write_headers(out, headers, line_value);
  if (line_value == LineValue::kJson && value) {
    out.key("value").raw(*value);
  } else {
    write_member(out, "value", "value_base64", value, line_value);
  }
  out.end_object();
  buffer_.append('\n');
  return buffer_.size() < kBufferMax ? absl::OkStatus() : write_buffer();
}

absl::Status JsonLinesFile::write_buffer() {
  std::string_view rest = buffer_.view();
  while (!rest.empty()) {
    const ssize_t count = ::write(fd_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error(errno, "cannot write", path_);
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  written_ += buffer_.size();
  buffer_.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> JsonLinesFile::commit() {
  RFM_ASSERT(is_cut_);
  if (absl::Status status = write_buffer(); !status.ok()) return status;
  if (written_ != committed_) {
    if (::fdatasync(fd_) != 0) return file_error(errno, "cannot sync", path_);
    committed_ = written_;
  }
  return committed_;
}

absl::Status JsonLinesFile::abandon() {
  buffer_.clear();
  if (::ftruncate(fd_, static_cast<off_t>(committed_)) != 0)
    return file_error(errno, "cannot cut", path_);
  if (::lseek(fd_, static_cast<off_t>(committed_), SEEK_SET) < 0)
    return file_error(errno, "cannot seek in", path_);
  written_ = committed_;
  is_cut_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FileSink>> FileSink::open(const FileSinkOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  if (error) {
    return absl::UnavailableError(
        fmt::format("cannot create {}: {}", options.directory.string(), error.message()));
  }
  std::unique_ptr<FileSink> sink(new FileSink());
  sink->lengths_ = options.committed_lengths;
  for (const OutputFile& output : kOutputFiles) {
    const std::filesystem::path path = options.directory / output.name;
    const std::uintmax_t there = std::filesystem::file_size(path, error);
    if (options.begins && !error && there > 0) {
      return absl::FailedPreconditionError(fmt::format(
          "{} is there already: name another directory, or remove what is in it", path.string()));
    }
    const auto index = static_cast<std::size_t>(output.topic);
    absl::StatusOr<JsonLinesFile> file =
        JsonLinesFile::open(path, options.committed_lengths[index]);
    if (!file.ok()) return file.status();
    sink->files_[index] = std::move(*file);
  }
  if (absl::Status status = sync_directory(options.directory); !status.ok()) return status;
  return sink;
}

bool FileSink::keeps(OutputTopic topic) const {
  return files_[static_cast<std::size_t>(topic)].has_value();
}

absl::Status FileSink::append(OutputTopic topic, std::optional<PartitionId> /*partition*/,
                              std::optional<std::string_view> key,
                              std::optional<std::string_view> value,
                              std::span<const Header> headers) {
  if (!failed_.ok()) return failed_;
  std::optional<JsonLinesFile>& file = files_[static_cast<std::size_t>(topic)];
  if (!file) return absl::OkStatus();
  const LineValue line_value =
      topic == OutputTopic::kDeadLetters ? LineValue::kBytes : LineValue::kJson;
  failed_ = file->append(key, value, headers, line_value);
  return failed_;
}

absl::StatusOr<CommitReceipt> FileSink::commit(const CommitRequest& /*request*/) {
  if (!failed_.ok()) return failed_;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (!files_[i]) continue;
    absl::StatusOr<std::uint64_t> length = files_[i]->commit();
    if (!length.ok()) {
      failed_ = length.status();
      return failed_;
    }
    lengths_[i] = *length;
  }
  CommitReceipt receipt;
  receipt.file_lengths = lengths_;
  return receipt;
}

void FileSink::abandon() noexcept {
  for (std::optional<JsonLinesFile>& file : files_) {
    if (!file) continue;
    if (absl::Status status = file->abandon(); !status.ok()) failed_ = status;
  }
}

}  // namespace rfm
