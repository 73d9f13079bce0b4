#include "stream/file/file_source.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "state/assertion.h"
#include "stream/decode/csv_split.h"
#include "stream/file/envelope.h"
#include "stream/file/xz_unpacker.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

constexpr std::size_t kEnvelopeBytesMax = std::size_t{64} << 10;  // Of an envelope around a value.
constexpr std::size_t kSkipRecordsMax = 4'096;                    // Skipped at once.
// Read at once: what stays in the processor's cache until it is decoded.
constexpr std::size_t kReadBytes = std::size_t{512} << 10;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// How a file begins that is no text, what it is, and what to do.
struct Foreign {
  std::string_view magic;
  std::string_view what;
  std::string_view remedy;
};
constexpr std::string_view kUnpack = "unpack it on the way, as in: ";
constexpr std::string_view kSaveAsCsv = "save it as CSV in UTF-8";
constexpr std::string_view kSaveAsUtf8 = "save it in UTF-8";
constexpr std::array<Foreign, 8> kForeign = {{
    {"\x1f\x8b", "is compressed with gzip", "gzip -dc FILE.gz | rfmstream replay --input -"},
    {"\x28\xb5\x2f\xfd", "is compressed with zstd",
     "zstd -dc FILE.zst | rfmstream replay --input -"},
    {"BZh", "is compressed with bzip2", "bzip2 -dc FILE.bz2 | rfmstream replay --input -"},
    {"PK\x03\x04", "is an Excel workbook or another zip archive", kSaveAsCsv},
    {"\xd0\xcf\x11\xe0", "is an Excel workbook", kSaveAsCsv},
    {"PAR1", "is a Parquet file", kSaveAsCsv},
    {"\xff\xfe", "is in UTF-16 (by its byte-order mark)", kSaveAsUtf8},
    {"\xfe\xff", "is in UTF-16 (by its byte-order mark)", kSaveAsUtf8},
}};

bool is_blank(std::string_view line) {
  return std::all_of(line.begin(), line.end(),
                     [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
}

std::string shown_path(const std::string& path) { return path == "-" ? "standard input" : path; }

absl::Status errno_status(std::string_view what, const std::string& path, int error) {
  const std::string message =
      fmt::format("cannot {} {}: {}", what, shown_path(path), std::strerror(error));
  if (error == ENOENT)
    return absl::NotFoundError(fmt::format("{}; check the path of the input", message));
  if (error == EACCES)
    return absl::PermissionDeniedError(fmt::format("{}; make it readable", message));
  if (error == EISDIR)
    return absl::InvalidArgumentError(fmt::format("{}; name a file or -", message));
  return absl::UnavailableError(fmt::format("{}; start again when it can be read", message));
}

}  // namespace

class FileSource::Implementation {
 public:
  explicit Implementation(const FileSourceOptions& options)
      : options_(options),
        csv_(options.csv),
        line_bytes_max_(2 * options.record_bytes_max + kEnvelopeBytesMax),
        buffer_(std::max(options.buffer_bytes, 2 * line_bytes_max_)) {}
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }

  absl::Status open() {
    fd_ = options_.path == "-" ? STDIN_FILENO : ::open(options_.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) return errno_status("open", options_.path, errno);
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return errno_status("open", options_.path, errno);
    if (S_ISDIR(info.st_mode)) return errno_status("read", options_.path, EISDIR);
    if (S_ISREG(info.st_mode)) bytes_total_ = static_cast<std::uint64_t>(info.st_size);
    RFM_ASSERT(options_.beginning.size() <= buffer_.size());
    end_ = options_.beginning.copy(buffer_.data(), options_.beginning.size());
    if (absl::Status status = read_beginning(); !status.ok()) return status;
    holds_unfinished_ = options_.holds_unfinished;
    return skip_to_start();
  }

  absl::StatusOr<std::span<const RecordView>> read(std::size_t records_max) {
    records_.clear();
    envelopes_.clear();
    for (;;) {
      while (records_.size() < records_max) {
        const std::optional<std::string_view> text = take_record();
        if (!text) break;
        add_record(*text);
      }
      if (!records_.empty() || is_complete_ || records_max == 0)
        return std::span<const RecordView>(records_);
      const absl::StatusOr<FillResult> filled = fill();
      if (!filled.ok()) return filled.status();
      if (*filled == FillResult::kInterrupted) return std::span<const RecordView>();
    }
  }

  bool at_end() const {
    return is_complete_ && (begin_ == end_ || (holds_unfinished_ && !find_end(unread())));
  }
  void take_unfinished() { holds_unfinished_ = false; }
  Offset next_offset() const { return next_offset_; }
  std::uint64_t bytes_read() const { return base_ + begin_; }
  std::optional<std::uint64_t> bytes_total() const { return bytes_total_; }
  const CsvLayout& csv_layout() const { return layout_; }
  std::string csv_found() const {
    const std::string_view encoding = csv_.encoding == TextEncoding::kCp1252   ? "cp1252"
                                      : csv_.encoding == TextEncoding::kLatin1 ? "latin-1"
                                                                               : "UTF-8";
    return fmt::format("{}: {}{}, {}", shown_path(options_.path), encoding,
                       has_mark_ ? " with a byte-order mark" : "", describe(layout_));
  }

 private:
  enum class FillResult : std::uint8_t { kDone, kInterrupted };

  // Moves what is not taken yet to the front and reads once. All views end here.
  absl::StatusOr<FillResult> fill() {
    RFM_ASSERT(begin_ > 0 || end_ < buffer_.size());
    if (begin_ > 0) std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    base_ += begin_;
    end_ -= begin_;
    begin_ = 0;
    const std::size_t room = std::min(buffer_.size() - end_, kReadBytes);
    if (unpacker_) {
      const absl::StatusOr<std::size_t> unpacked = unpacker_->read({buffer_.data() + end_, room});
      if (!unpacked.ok()) {
        return absl::Status(unpacked.status().code(),
                            fmt::format("cannot read {}: {}", shown_path(options_.path),
                                        std::string(unpacked.status().message())));
      }
      is_complete_ = *unpacked == 0;
      end_ += *unpacked;
      return FillResult::kDone;
    }
    const ssize_t count = ::read(fd_, buffer_.data() + end_, room);
    if (count < 0 && errno == EINTR) return FillResult::kInterrupted;
    if (count < 0) return errno_status("read", options_.path, errno);
    is_complete_ = count == 0;
    end_ += static_cast<std::size_t>(count);
    return FillResult::kDone;
  }

  // What was read is the beginning of a packed text.
  void unpack() {
    unpacker_.emplace(fd_, unread());
    bytes_total_ = std::nullopt;
    end_ = 0;
    is_complete_ = false;
  }

  absl::Status read_magic() {
    constexpr std::size_t kMagicBytesMax = 8;
    while (!is_complete_ && end_ - begin_ < kMagicBytesMax) {
      if (const auto filled = fill(); !filled.ok()) return filled.status();
    }
    return absl::OkStatus();
  }

  // The byte order mark and the CSV header.
  absl::Status read_beginning() {
    if (absl::Status status = read_magic(); !status.ok()) return status;
    if (unread().starts_with(XzUnpacker::kMagic)) {
      unpack();
      if (absl::Status status = read_magic(); !status.ok()) return status;
    }
    for (const Foreign& foreign : kForeign) {
      if (!unread().starts_with(foreign.magic)) continue;
      const bool is_packed = foreign.what.starts_with("is compressed");
      return absl::InvalidArgumentError(fmt::format("{} {}; {}{}", shown_path(options_.path),
                                                    foreign.what, is_packed ? kUnpack : "",
                                                    foreign.remedy));
    }
    has_mark_ = unread().starts_with(kByteOrderMark);
    if (has_mark_) begin_ += kByteOrderMark.size();
    return options_.format == InputFormat::kCsv ? read_header() : absl::OkStatus();
  }

  absl::StatusOr<std::string_view> take_first() {
    for (;;) {
      if (const auto record = take_record()) return *record;
      if (is_complete_) {
        return absl::InvalidArgumentError(
            fmt::format("{} is empty; its first line must be a header such as {}",
                        shown_path(options_.path), kOnlineRetailHeader));
      }
      if (const auto filled = fill(); !filled.ok()) return filled.status();
    }
  }

  absl::Status read_header() {
    constexpr std::string_view kSeparatorLine = "sep=";  // What Excel writes and reads.
    absl::StatusOr<std::string_view> header = take_first();
    if (header.ok() && header->starts_with(kSeparatorLine) &&
        header->size() == kSeparatorLine.size() + 1) {
      if (csv_.separator == '\0') csv_.separator = header->back();
      header = take_first();
    }
    if (!header.ok()) return header.status();
    if (header->find('\0') != std::string_view::npos) {
      return absl::InvalidArgumentError(
          fmt::format("{} has NUL bytes in its header, as text in UTF-16 has; {}",
                      shown_path(options_.path), kSaveAsUtf8));
    }
    absl::StatusOr<CsvLayout> layout = read_csv_header(*header, csv_);
    if (!layout.ok()) {
      return absl::InvalidArgumentError(
          fmt::format("{} {}", shown_path(options_.path), std::string(layout.status().message())));
    }
    layout_ = *std::move(layout);
    return absl::OkStatus();
  }

  absl::Status skip_to_start() {
    while (next_offset_ < options_.start_offset) {
      const auto rest = static_cast<std::uint64_t>(options_.start_offset - next_offset_);
      const auto records =
          read(static_cast<std::size_t>(std::min<std::uint64_t>(rest, kSkipRecordsMax)));
      if (!records.ok()) return records.status();
      if (records->empty() && at_end()) {
        return absl::InvalidArgumentError(
            fmt::format("{} has {} records, so none to go on with from {}; is it the file that the "
                        "state was made from?",
                        shown_path(options_.path), next_offset_, options_.start_offset));
      }
    }
    return absl::OkStatus();
  }

  std::string_view unread() const { return {buffer_.data() + begin_, end_ - begin_}; }

  // The next record's text without its line end; absent: there is none in the buffer.
  std::optional<std::string_view> take_record() {
    for (;;) {
      std::string_view text = unread();
      const std::optional<std::size_t> line_end = find_end(text);
      if (is_inside_cut_line_) {
        begin_ += line_end ? *line_end + 1 : text.size();
        if (!line_end) return std::nullopt;
        is_inside_cut_line_ = false;
        continue;
      }
      if (!line_end && text.size() > line_bytes_max_) {
        is_inside_cut_line_ = true;
        begin_ += line_bytes_max_;
        return text.substr(0, line_bytes_max_);
      }
      if (!line_end && (!is_complete_ || holds_unfinished_ || text.empty())) return std::nullopt;
      begin_ += line_end ? *line_end + 1 : text.size();
      text = text.substr(0, line_end.value_or(text.size()));
      if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
      if (!is_blank(text)) return text;
    }
  }

  std::optional<std::size_t> find_end(std::string_view text) const {
    if (options_.format == InputFormat::kCsv && !is_inside_cut_line_) {
      const std::optional<std::size_t> end = find_row_end(text, layout_.separator);
      const bool may_go_on = !is_complete_ || holds_unfinished_;
      if (end || (may_go_on && text.size() <= line_bytes_max_)) return end;
    }
    const std::size_t end = text.find('\n');
    return end == std::string_view::npos ? std::nullopt : std::optional(end);
  }

  void add_record(std::string_view text) {
    RecordView& record = records_.emplace_back();
    record.value = text;
    if (options_.format != InputFormat::kCsv && looks_like_envelope(text)) {
      if (const std::optional<RecordView> envelope = envelopes_.read(text)) record = *envelope;
    }
    record.offset = next_offset_++;
    record.received_ms = options_.received_ms;
  }

  const FileSourceOptions options_;
  CsvOptions csv_;
  CsvLayout layout_;
  bool has_mark_ = false;  // A byte-order mark.
  const std::size_t line_bytes_max_;
  bool holds_unfinished_ = false;
  int fd_ = -1;
  std::optional<XzUnpacker> unpacker_;
  std::optional<std::uint64_t> bytes_total_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;            // Of what is not taken yet, in `buffer_`.
  std::size_t end_ = 0;              // Of it.
  std::uint64_t base_ = 0;           // Where `buffer_` begins in the file.
  bool is_complete_ = false;         // Nothing follows what is in `buffer_`.
  bool is_inside_cut_line_ = false;  // The rest of a line that was too long is still to be skipped.
  Offset next_offset_ = 0;
  std::vector<RecordView> records_;
  EnvelopeReader envelopes_;
};

FileSource::FileSource(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
FileSource::~FileSource() = default;

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::open(const FileSourceOptions& options) {
  auto implementation = std::make_unique<Implementation>(options);
  if (absl::Status status = implementation->open(); !status.ok()) return status;
  return std::unique_ptr<FileSource>(new FileSource(std::move(implementation)));
}

absl::StatusOr<std::span<const RecordView>> FileSource::read(PartitionId partition,
                                                             std::size_t records_max) {
  RFM_ASSERT(partition == 0);
  return implementation_->read(records_max);
}

bool FileSource::at_end(PartitionId partition) const {
  RFM_ASSERT(partition == 0);
  return implementation_->at_end();
}

void FileSource::take_unfinished() { implementation_->take_unfinished(); }

Offset FileSource::next_offset(PartitionId /*partition*/) const {
  return implementation_->next_offset();
}

std::int64_t FileSource::records_behind(PartitionId partition) const {
  return at_end(partition) ? 0 : kManyRecords;
}

absl::Status FileSource::service() { return absl::OkStatus(); }

void FileSource::wait(std::chrono::milliseconds /*longest*/) {}  // `read` waits.

const CsvLayout& FileSource::csv_layout() const { return implementation_->csv_layout(); }
std::string FileSource::csv_found() const { return implementation_->csv_found(); }

std::uint64_t FileSource::bytes_read() const { return implementation_->bytes_read(); }
std::optional<std::uint64_t> FileSource::bytes_total() const {
  return implementation_->bytes_total();
}

}  // namespace rfm
