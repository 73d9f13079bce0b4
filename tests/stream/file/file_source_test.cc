#include "stream/file/file_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stream/decode/csv_layout.h"
#include "stream/decode/csv_split.h"

namespace rfm {
namespace {

using std::string_literals::operator""s;

constexpr std::string_view kHeader =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

// What a record showed, copied.
struct Copy {
  std::optional<std::string> key;
  std::optional<std::string> value;
  Offset offset = 0;

  friend bool operator==(const Copy&, const Copy&) = default;
};

class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) {
    std::string name = (std::filesystem::temp_directory_path() / "file_source_XXXXXX").string();
    const int fd = ::mkstemp(name.data());
    EXPECT_GE(fd, 0);
    ::close(fd);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << content;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path_); }

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

std::vector<Copy> drain(FileSource& source, std::size_t records_max) {
  std::vector<Copy> copies;
  while (!source.at_end(0)) {
    const auto records = source.read(0, records_max);
    EXPECT_TRUE(records.ok()) << records.status();
    if (!records.ok()) break;
    EXPECT_LE(records->size(), records_max);
    for (const RecordView& record : *records) {
      copies.push_back(
          {.key = record.key ? std::optional<std::string>(*record.key) : std::nullopt,
           .value = record.value ? std::optional<std::string>(*record.value) : std::nullopt,
           .offset = record.offset});
    }
  }
  return copies;
}

std::vector<Copy> read_all(FileSourceOptions options, std::string_view content,
                           std::size_t records_max = 100) {
  const TemporaryFile file(content);
  options.path = file.path();
  const auto source = FileSource::open(options);
  EXPECT_TRUE(source.ok()) << source.status();
  return source.ok() ? drain(**source, records_max) : std::vector<Copy>{};
}

std::vector<std::string> values(const std::vector<Copy>& copies) {
  std::vector<std::string> result;
  for (const Copy& copy : copies) result.push_back(copy.value.value_or("<null>"));
  return result;
}

using Values = std::vector<std::string>;

TEST(FileSource, GivesOneRecordALine) {
  const auto records = read_all({.received_ms = 5}, "{\"a\":1}\n{\"b\":2}\n");
  EXPECT_EQ(records,
            (std::vector<Copy>{{std::nullopt, "{\"a\":1}", 0}, {std::nullopt, "{\"b\":2}", 1}}));
}

TEST(FileSource, LineEndsAreNoPartOfRecords) {
  EXPECT_EQ(values(read_all({}, "a\r\nb\nc")), (Values{"a", "b", "c"}));
  EXPECT_EQ(values(read_all({},
                            "\xef\xbb\xbf"
                            "a\r\n\r\n \t\n\nb\r\n\n")),
            (Values{"a", "b"}));
  EXPECT_EQ(values(read_all({}, "a\r")), (Values{"a"}));
  EXPECT_EQ(values(read_all({}, "")), (Values{}));
  EXPECT_EQ(values(read_all({}, "\n\n")), (Values{}));
  EXPECT_EQ(values(read_all({}, "\xef\xbb")), (Values{"\xef\xbb"}));
  EXPECT_EQ(values(read_all({}, "a\0b\n"s)), (Values{"a\0b"s}));
}

TEST(FileSource, ReadsEnvelopes) {
  const auto records = read_all({}, R"({"key":"k","headers":{"h":"1"},"value":{"a": [1, {}]}})"
                                    "\n"
                                    R"({"value":{"x":"}"},"key":"\u0041\n","more":0})"
                                    "\n"
                                    R"( { "key" : "gone" , "value" : null })"
                                    "\n"
                                    R"({"key":null,"value":"bytes\u0000\"{"})"
                                    "\n"
                                    R"({"key":"k","value_base64":"/wA="})"
                                    "\n");
  ASSERT_EQ(records.size(), 5U);
  EXPECT_EQ(records[0], (Copy{"k", R"({"a": [1, {}]})", 0}));
  EXPECT_EQ(records[1], (Copy{"A\n", R"({"x":"}"})", 1}));
  EXPECT_EQ(records[2], (Copy{"gone", std::nullopt, 2}));
  EXPECT_EQ(records[3], (Copy{std::nullopt, "bytes\0\"{"s, 3}));
  EXPECT_EQ(records[4], (Copy{"k", "\xff\0"s, 4}));
}

TEST(FileSource, GivesTheHeadersOfEnvelopes) {
  const TemporaryFile file(R"({"key":"k","headers":{"a":"1","b\n":null},"value":{}})"
                           "\n{\"x\":1}\n");
  const auto source = FileSource::open({.path = file.path(), .received_ms = 77});
  ASSERT_TRUE(source.ok());
  const auto records = (*source)->read(0, 10);
  ASSERT_TRUE(records.ok());
  ASSERT_EQ(records->size(), 2U);
  const std::vector<RecordHeader> headers = (*records)[0].headers.read();
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers[0].name, "a");
  EXPECT_EQ(headers[0].value, "1");
  EXPECT_EQ(headers[1].name, "b\n");
  EXPECT_EQ(headers[1].value, std::nullopt);
  EXPECT_TRUE((*records)[1].headers.read().empty());
  EXPECT_EQ((*records)[1].received_ms, 77);
}

TEST(FileSource, WhatIsNoEnvelopeStandsForItself) {
  for (const std::string_view line :
       {R"({"key":1,"value":{}})", R"({"key":"k","value":{})", R"({"key":"k"})",
        R"({"key":"k","value":7})", R"({"key":"k","value":{}} x)", R"({"value_base64":"%%"})",
        R"({"headers":[],"value":{}})", R"({"x":1,"key":"k"})", R"({"key")", "{", R"({"keys":1})",
        R"({"value":[]})", R"({"value":"\ud800"})", R"({"value":{},"headers":{"a":1}})"}) {
    EXPECT_EQ(read_all({}, std::string(line) + "\n"),
              (std::vector<Copy>{{std::nullopt, std::string(line), 0}}))
        << line;
  }
}

TEST(FileSource, CsvRowsStandBelowTheHeader) {
  const std::string text = std::string(kHeader) + "1,a,\"x\ny\",2\r\n\n3,\"b\"\"\",4\n5,6\" wide,7";
  EXPECT_EQ(values(read_all({.format = InputFormat::kCsv}, text)),
            (Values{"1,a,\"x\ny\",2", "3,\"b\"\"\",4", "5,6\" wide,7"}));
  EXPECT_EQ(values(read_all({.format = InputFormat::kCsv},
                            "\xef\xbb\xbf\"Invoice\",StockCode,Description,Quantity,"
                            "InvoiceDate,Price,Customer ID,Country\r\n1\r\n")),
            (Values{"1"}));
  EXPECT_EQ(values(read_all({.format = InputFormat::kCsv}, kHeader)), (Values{}));
}

TEST(FileSource, AStrayQuoteCostsOneRow) {
  const std::string text =
      std::string(kHeader) + "1,\"stray,2\n3,4\n5,\"fine, too\",6\n7,\"open\n8,9";
  EXPECT_EQ(values(read_all({.format = InputFormat::kCsv}, text)),
            (Values{"1,\"stray,2", "3,4", "5,\"fine, too\",6", "7,\"open", "8,9"}));
}

TEST(CsvSplit, QuotesSpanALimitedNumberOfLines) {
  const auto row = [](int line_ends) {
    return "\"" + std::string(static_cast<std::size_t>(line_ends), '\n') + "\",1\n";
  };
  EXPECT_EQ(find_row_end(row(kQuotedLinesMax), ','), row(kQuotedLinesMax).size() - 1);
  EXPECT_EQ(find_row_end(row(kQuotedLinesMax + 1), ','), 1U);
  EXPECT_EQ(find_row_end("\"a\nb", ','), std::nullopt);
  EXPECT_EQ(find_row_end("\"a\"\r\n", ','), 4U);
  EXPECT_EQ(find_row_end("a", ','), std::nullopt);
}

TEST(FileSource, BatchesAndBuffersDoNotMatter) {
  std::mt19937_64 rng(7);
  std::string text(kHeader);
  Values expected;
  for (int i = 0; i < 3'000; ++i) {
    std::string row = std::to_string(i) + "," + std::string(rng() % 60, 'x');
    if (rng() % 4 == 0) row += ",\"" + std::string(rng() % 5, '\n') + "\"\",\"";
    expected.push_back(row);
    text += row + (rng() % 2 == 0 ? "\n" : "\r\n");
  }
  for (const std::size_t records_max : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
    const FileSourceOptions options{
        .format = InputFormat::kCsv, .record_bytes_max = 500, .buffer_bytes = 1};
    EXPECT_EQ(values(read_all(options, text, records_max)), expected) << records_max;
  }
}

TEST(FileSource, GoesOnFromAnOffset) {
  std::string text = "\xef\xbb\xbf";
  for (int i = 0; i < 1'000; ++i) text += std::to_string(i) + "\n" + (i % 10 == 0 ? "\n" : "");
  const TemporaryFile file(text);
  for (const Offset start : {0, 1, 332, 333, 334, 999, 1'000}) {
    const auto source = FileSource::open({.path = file.path(), .start_offset = start});
    ASSERT_TRUE(source.ok()) << source.status();
    EXPECT_EQ((*source)->next_offset(0), start);
    const auto records = drain(**source, 50);
    ASSERT_EQ(records.size(), static_cast<std::size_t>(1'000 - start)) << start;
    if (records.empty()) continue;
    EXPECT_EQ(records.front().offset, start);
    EXPECT_EQ(records.front().value, std::to_string(start));
  }
  const auto beyond = FileSource::open({.path = file.path(), .start_offset = 1'001});
  EXPECT_EQ(beyond.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(FileSource, GoesOnBelowTheHeaderOfACsv) {
  const TemporaryFile file(std::string(kHeader) + "1\n2\n3\n");
  const auto source =
      FileSource::open({.path = file.path(), .format = InputFormat::kCsv, .start_offset = 2});
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(drain(**source, 10), (std::vector<Copy>{{std::nullopt, "3", 2}}));
}

// Before it is taken nothing shows; where it was finished meanwhile it is read whole.
TEST(FileSource, AnUnfinishedRecordCanBeHeldBack) {
  const std::string header(kHeader);
  const std::vector<std::pair<InputFormat, std::string>> unfinished = {
      {InputFormat::kLines, "a\nb"},
      {InputFormat::kLines, "a\nb\r"},
      {InputFormat::kCsv, header + "a\n\"b"},
      {InputFormat::kCsv, header + "a\n\"b\nc"},
  };
  for (const auto& [format, text] : unfinished) {
    SCOPED_TRACE(text);
    const TemporaryFile file(text);
    const FileSourceOptions options{
        .path = file.path(), .format = format, .holds_unfinished = true};
    const auto source = FileSource::open(options);
    ASSERT_TRUE(source.ok()) << source.status();
    EXPECT_EQ(values(drain(**source, 10)), (Values{"a"}));
    EXPECT_EQ((*source)->next_offset(0), 1);
    EXPECT_TRUE((*source)->read(0, 10)->empty());
    (*source)->take_unfinished();
    FileSourceOptions whole = options;
    whole.holds_unfinished = false;
    whole.start_offset = 1;
    const auto rest = FileSource::open(whole);
    ASSERT_TRUE(rest.ok()) << rest.status();
    EXPECT_EQ(drain(**source, 10), drain(**rest, 10));
  }
  const TemporaryFile only_header(header.substr(0, header.size() - 1));
  const auto source = FileSource::open(
      {.path = only_header.path(), .format = InputFormat::kCsv, .holds_unfinished = true});
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(values(drain(**source, 10)), (Values{}));
}

TEST(FileSource, ALineThatIsTooLongIsCutAndSkipped) {
  const FileSourceOptions options{.record_bytes_max = 100, .buffer_bytes = 1};
  const std::size_t line_bytes_max = 200 + (std::size_t{64} << 10);
  const auto records =
      read_all(options, "a\n" + std::string(1'000'000, 'x') + "\nb\n" +
                            std::string(line_bytes_max, 'y') + "\n" + std::string(500'000, 'z'));
  ASSERT_EQ(records.size(), 5U);
  EXPECT_EQ(records[0].value, "a");
  EXPECT_EQ(records[1].value, std::string(line_bytes_max, 'x'));
  EXPECT_EQ(records[2].value, "b");
  EXPECT_EQ(records[3].value, std::string(line_bytes_max, 'y'));
  EXPECT_EQ(records[4].value, std::string(line_bytes_max, 'z'));
}

TEST(FileSource, TellsItsProgress) {
  const TemporaryFile file("ab\ncd\n");
  const auto source = FileSource::open({.path = file.path()});
  ASSERT_TRUE(source.ok());
  EXPECT_EQ((*source)->bytes_total(), 6U);
  EXPECT_EQ((*source)->bytes_read(), 0U);
  ASSERT_EQ((*source)->read(0, 1)->size(), 1U);
  EXPECT_EQ((*source)->bytes_read(), 3U);
  EXPECT_FALSE((*source)->at_end(0));
  drain(**source, 1);
  EXPECT_EQ((*source)->bytes_read(), 6U);
  EXPECT_TRUE((*source)->service().ok());
}

TEST(FileSource, ReadsAPipe) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(ends), 0);
  const std::string text = "one\ntwo\nthree";
  ASSERT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  const auto source =
      FileSource::open({.path = "/dev/fd/" + std::to_string(ends[0]), .start_offset = 1});
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ((*source)->bytes_total(), std::nullopt);
  EXPECT_EQ(values(drain(**source, 10)), (Values{"two", "three"}));
  ::close(ends[0]);
}

TEST(FileSource, ErrorsNameThePathAndWhatToDo) {
  const auto missing = FileSource::open({.path = "/nonexistent/file.csv"});
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(
      missing.status().message(),
      "cannot open /nonexistent/file.csv: No such file or directory; check the path of the input");
  const auto directory = FileSource::open({.path = "/"});
  EXPECT_EQ(directory.status().code(), absl::StatusCode::kInvalidArgument);
  const auto refusal = [](std::string_view content, InputFormat format) {
    const TemporaryFile file(content);
    const auto source = FileSource::open({.path = file.path(), .format = format});
    EXPECT_EQ(source.status().code(), absl::StatusCode::kInvalidArgument) << content;
    const std::string message(source.status().message());
    EXPECT_EQ(message.find(file.path() + " "), 0U) << message;
    return message.substr(std::min(message.size(), file.path().size() + 1));
  };
  for (const std::string_view content : {"", "\n"}) {
    EXPECT_EQ(
        refusal(content, InputFormat::kCsv),
        "is empty; its first line must be a header such as " + std::string(kOnlineRetailHeader));
  }
  for (const std::string_view content : {"a,b,c\n", "1,2,3,4,5,6,7,8\n", "{\"InvoiceNo\":1}\n"}) {
    EXPECT_NE(refusal(content, InputFormat::kCsv).find("add a header such as InvoiceNo,"),
              std::string::npos);
  }
  const std::string csv = "save it as CSV in UTF-8";
  for (const InputFormat format : {InputFormat::kCsv, InputFormat::kLines}) {
    EXPECT_EQ(refusal("\x1f\x8b\x08", format),
              "is compressed with gzip; unpack it on the way, as in: gzip -dc FILE.gz | rfmstream "
              "replay --input -");
    EXPECT_EQ(refusal("PK\x03\x04", format), "is an Excel workbook or another zip archive; " + csv);
    EXPECT_EQ(refusal("\xd0\xcf\x11\xe0\xa1", format), "is an Excel workbook; " + csv);
    EXPECT_EQ(refusal("\xff\xfeI\0n\0"s, format),
              "is in UTF-16 (by its byte-order mark); save it in UTF-8");
  }
  EXPECT_EQ(refusal("I\0n\0\n\0"s, InputFormat::kCsv),
            "has NUL bytes in its header, as text in UTF-16 has; save it in UTF-8");
}

// "InvoiceNo,Quantity\n1,2\n2,3\n".
constexpr std::string_view kPacked{
    "\xfd\x37\x7a\x58\x5a\x00\x00\x01\x69\x22\xde\x36\x02\x00\x21\x01\x16\x00\x00\x00"
    "\x74\x2f\xe5\xa3\x01\x00\x1a\x49\x6e\x76\x6f\x69\x63\x65\x4e\x6f\x2c\x51\x75\x61"
    "\x6e\x74\x69\x74\x79\x0a\x31\x2c\x32\x0a\x32\x2c\x33\x0a\x00\x00\x6f\x0e\x94\x8d"
    "\x00\x01\x2f\x1b\xaa\x44\xff\xb8\x90\x42\x99\x0d\x01\x00\x00\x00\x00\x01\x59\x5a",
    80};

TEST(FileSource, UnpacksXz) {
  const std::vector<Copy> rows = {
      {std::nullopt, "InvoiceNo,Quantity", 0}, {std::nullopt, "1,2", 1}, {std::nullopt, "2,3", 2}};
  EXPECT_EQ(read_all({}, kPacked), rows);
  const std::string twice = std::string(kPacked) + std::string(kPacked);
  EXPECT_EQ(read_all({}, twice).size(), 6U);
  const auto failure = [](std::string_view content) {
    const TemporaryFile file(content);
    const auto source = FileSource::open({.path = file.path()});
    if (!source.ok()) return source.status();
    absl::Status status;
    while (status.ok() && !(*source)->at_end(0)) status = (*source)->read(0, 100).status();
    return status;
  };
  const absl::Status cut = failure(kPacked.substr(0, 50));
  EXPECT_EQ(cut.code(), absl::StatusCode::kDataLoss) << cut;
  EXPECT_NE(cut.message().find(": its xz data end early"), std::string::npos) << cut;
  std::string broken(kPacked);
  broken[60] ^= 1;
  EXPECT_EQ(failure(broken).code(), absl::StatusCode::kDataLoss);
}

TEST(FileSource, GoesOnFromWhatWasReadAlready) {
  const std::vector<Copy> lines = {{std::nullopt, "one", 0}, {std::nullopt, "two", 1}};
  EXPECT_EQ(read_all({.beginning = "one\nt"}, "wo\n"), lines);
  EXPECT_EQ(read_all({.beginning = std::string(kPacked.substr(0, 20))}, kPacked.substr(20)).size(),
            3U);
}

// What the header says, in one line; the offsets of rows do not depend on it.
TEST(FileSource, SaysWhatItFoundInACsv) {
  const auto found = [](std::string_view content, const CsvOptions& csv) {
    const TemporaryFile file(content);
    const auto source =
        FileSource::open({.path = file.path(), .format = InputFormat::kCsv, .csv = csv});
    EXPECT_TRUE(source.ok()) << source.status();
    if (!source.ok()) return std::string();
    EXPECT_EQ(drain(**source, 10).front().offset, 0);
    return (*source)->csv_found().substr(file.path().size());
  };
  EXPECT_EQ(found("\xef\xbb\xbf" + std::string(kHeader) + "1\n", {}),
            ": UTF-8 with a byte-order mark, columns split at \",\": InvoiceNo, StockCode, "
            "Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country");
  EXPECT_EQ(found("sep=;\ninvoice;customer id;total;invoicedate;\"x;y\"\n1\n",
                  {.encoding = TextEncoding::kCp1252}),
            ": cp1252, columns split at \";\": invoice, customer id, total, invoicedate; not read: "
            "x;y; a row is a whole order");
}

}  // namespace
}  // namespace rfm
