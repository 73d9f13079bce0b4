// Goal: what `generate` writes is what the decoder reads, and wrong arguments are refused before
// anything is written.
#include "stream/app/generate_command.h"

#include <gtest/gtest.h>

#include <set>

#include "stream/decode/decoder.h"
#include "tests/app/command_line.h"

namespace rfm {
namespace {

absl::Status generate(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "generate");
  return run_command(add_generate_command, std::move(arguments));
}

struct Outcomes {
  std::size_t events = 0;
  std::size_t rejections = 0;
  std::set<DeadLetterReason> reasons;
};

// `lines` without keys, as from a file.
Outcomes decode(const std::vector<std::string>& lines, InputFormat format) {
  DecoderOptions options;
  options.format = format;
  options.keys = KeyPolicy::kIfPresent;
  Decoder decoder(options);
  Outcomes outcomes;
  for (const std::string& line : lines) {
    RecordView record;
    record.value = line;
    const DecodedEvent event = decoder.decode(record);
    if (const auto* rejection = std::get_if<Rejection>(&event)) {
      ++outcomes.rejections;
      outcomes.reasons.insert(rejection->reason);
    } else {
      ++outcomes.events;
    }
  }
  return outcomes;
}

TEST(GenerateCommand, EveryRecordDecodes) {
  const TestDirectory directory;
  const std::string path = directory.file("history");
  for (const auto& [name, format] :
       {std::pair<std::string, InputFormat>{"lines", InputFormat::kLines},
        {"invoices", InputFormat::kInvoices},
        {"csv", InputFormat::kCsv}}) {
    const absl::Status status = generate({"--customers", "300", "--format", name, "-o", path});
    ASSERT_TRUE(status.ok()) << status;
    std::vector<std::string> lines = read_lines(path);
    if (format == InputFormat::kCsv) {
      EXPECT_EQ(
          lines.front(),
          "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country");
      lines.erase(lines.begin());
    }
    const Outcomes outcomes = decode(lines, format);
    EXPECT_GT(outcomes.events, 1'000U) << name;
    EXPECT_EQ(outcomes.rejections, 0U) << name;
  }
}

TEST(GenerateCommand, BadRecordsAreRejectedForSeveralReasons) {
  const TestDirectory directory;
  const std::string good = directory.file("good");
  const std::string bad = directory.file("bad");
  ASSERT_TRUE(generate({"--customers", "200", "-o", good}).ok());
  ASSERT_TRUE(generate({"--customers", "200", "--bad-share", "0.05", "-o", bad}).ok());
  const Outcomes outcomes = decode(read_lines(bad), InputFormat::kLines);
  // A year-2099 invoice decodes: only the partition knows that it is in the future.
  EXPECT_GT(outcomes.rejections, (read_lines(bad).size() - read_lines(good).size()) / 2);
  EXPECT_GE(outcomes.events, read_lines(good).size());
  EXPECT_GE(outcomes.reasons.size(), 4U);
}

TEST(GenerateCommand, TheSameArgumentsGiveTheSameFile) {
  const TestDirectory directory;
  const std::vector<std::string> arguments = {
      "--customers", "100", "--seed", "7", "--late-share", "0.1", "--tombstones", "3", "-o"};
  std::vector<std::string> first = arguments;
  std::vector<std::string> second = arguments;
  first.push_back(directory.file("first"));
  second.push_back(directory.file("second"));
  ASSERT_TRUE(generate(first).ok());
  ASSERT_TRUE(generate(second).ok());
  const std::string text = read_file(directory.file("first"));
  EXPECT_EQ(text, read_file(directory.file("second")));
  EXPECT_NE(text.find("\",\"headers\":{},\"value\":null}\n"), std::string::npos);
}

TEST(GenerateCommand, TheHistoryStartsWhenItIsTold) {
  const TestDirectory directory;
  const std::string path = directory.file("history");
  for (const std::string start : {"2021-05-01", "2021-05-01T00:00:00Z", "2021-05-01 00:30"}) {
    ASSERT_TRUE(
        generate({"--customers", "50", "--start", start, "--format", "csv", "-o", path}).ok());
    EXPECT_NE(read_lines(path).at(1).find(",2021-05-0"), std::string::npos)
        << read_lines(path).at(1);
  }
}

TEST(GenerateCommand, APartOfAHistoryAndTheRestAreTheWhole) {
  const TestDirectory directory;
  const std::string path = directory.file("history");
  const auto lines_of = [&](std::vector<std::string> part) {
    part.insert(part.end(), {"--customers", "200", "--late-share", "0.1", "-o", path});
    EXPECT_TRUE(generate(part).ok());
    return read_lines(path);
  };
  const std::vector<std::string> whole = lines_of({});
  std::vector<std::string> parts = lines_of({"--to-day", "100"});
  EXPECT_FALSE(parts.empty());
  EXPECT_LT(parts.size(), whole.size());
  const std::vector<std::string> rest = lines_of({"--from-day", "100"});
  parts.insert(parts.end(), rest.begin(), rest.end());
  EXPECT_EQ(parts, whole);
}

TEST(GenerateCommand, WrongArgumentsAreRefused) {
  const TestDirectory directory;
  const std::string path = directory.file("history");
  for (std::vector<std::string> wrong :
       std::vector<std::vector<std::string>>{{"--customers", "0"},
                                             {"--days", "0"},
                                             {"--late-share", "2"},
                                             {"--format", "xml"},
                                             {"--start", "yesterday"},
                                             {"--rate", "fast"},
                                             {"--rate", "0/s"},
                                             {"--from-day", "9", "--to-day", "9"},
                                             {"--tombstones", "1001"},
                                             {"--format", "csv", "--tombstones", "1"},
                                             {"--set", "rfm.monetery=net"},
                                             {"--kafka"}}) {
    wrong.insert(wrong.end(), {"-o", path});
    EXPECT_EQ(generate(wrong).code(), absl::StatusCode::kInvalidArgument) << wrong[0];
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_EQ(generate({"-o", directory.file("no/such/folder")}).code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace rfm
