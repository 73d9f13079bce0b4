#include "stream/app/told_format.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <variant>

#include "config/options.h"
#include "stream/decode/decoder.h"
#include "stream/file/file_source.h"
#include "stream/file/xz_unpacker.h"

namespace rfm {
namespace {

constexpr std::size_t kRecordsLookedAt = 20;
constexpr std::size_t kBeginningBytesMax = std::size_t{64} << 10;
// Where several fit alike, the first.
constexpr std::array<const char*, 3> kFormats = {"invoices", "lines", "csv"};

// Of standard input as much as its first records are likely to need.
std::string read_beginning() {
  std::string bytes;
  const auto is_enough = [&] {
    return bytes.size() == kBeginningBytesMax ||
           (!bytes.starts_with(XzUnpacker::kMagic) &&
            std::ranges::count(bytes, '\n') > static_cast<std::ptrdiff_t>(kRecordsLookedAt));
  };
  while (!is_enough()) {
    std::array<char, 4'096> piece{};
    const std::size_t room = std::min(piece.size(), kBeginningBytesMax - bytes.size());
    const ssize_t count = ::read(STDIN_FILENO, piece.data(), room);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;  // An error comes again where it is reported.
    bytes.append(piece.data(), static_cast<std::size_t>(count));
  }
  return bytes;
}

absl::StatusOr<std::unique_ptr<FileSource>> open_source(const std::string& path,
                                                        const std::string& beginning,
                                                        const DecoderOptions& options) {
  return FileSource::open({.path = path,
                           .beginning = beginning,
                           .format = options.format,
                           .record_bytes_max = options.record_bytes_max,
                           .csv = options.csv,
                           .holds_unfinished = !beginning.empty()});
}

std::ptrdiff_t events_in(const std::string& path, const std::string& beginning,
                         DecoderOptions options) {
  const auto source = open_source(path, beginning, options);
  if (!source.ok()) return 0;
  if (options.format == InputFormat::kCsv) options.csv_layout = (*source)->csv_layout();
  const auto records = (*source)->read(0, kRecordsLookedAt);
  if (!records.ok()) return 0;
  Decoder decoder(std::move(options));
  return std::ranges::count_if(*records, [&](const RecordView& record) {
    return !std::holds_alternative<Rejection>(decoder.decode(record));
  });
}

// Whether the first line is no JSON and has what separates columns, whatever its rows are worth.
bool begins_like_csv(const std::string& path, const std::string& beginning,
                     const DecoderOptions& options) {
  const auto source = open_source(path, beginning, options);
  if (!source.ok()) return false;
  const auto records = (*source)->read(0, 1);
  if (!records.ok() || records->empty()) return false;
  const std::string_view line = records->front().value.value_or("");
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return false;
  constexpr std::string_view kBeginsJsonOrBytes("{[\0", 3);
  return kBeginsJsonOrBytes.find(line[begin]) == std::string_view::npos &&
         line.find_first_of(",;\t|") != std::string_view::npos;
}

}  // namespace

ToldFormat told_format(const std::string& path, Settings settings) {
  ToldFormat told;
  std::string looked_at = path;
  std::error_code unknown;
  if (path == "-") {
    told.beginning = read_beginning();
    looked_at = "/dev/null";  // Nothing follows.
  } else if (!std::filesystem::is_regular_file(path, unknown)) {
    return told;
  }
  std::ptrdiff_t most = 0;
  for (const char* const format : kFormats) {
    if (!settings.assign("input.format", format, SettingOrigin::kOverride, path).ok()) continue;
    const std::ptrdiff_t events =
        events_in(looked_at, told.beginning, decoder_options(settings, KeyPolicy::kIfPresent));
    if (events <= most) continue;
    most = events;
    told.format = format;
  }
  if (!told.format &&
      settings.assign("input.format", "lines", SettingOrigin::kOverride, path).ok() &&
      begins_like_csv(looked_at, told.beginning, decoder_options(settings, KeyPolicy::kIfPresent)))
    told.format = "csv";
  return told;
}

}  // namespace rfm
