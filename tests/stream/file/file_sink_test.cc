// Goal: a directory of output files holds what was committed, and nothing else, whenever it is
// opened again.
#include "stream/file/file_sink.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace rfm {
namespace {

class FileSinkTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "rfmstream-sink-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<FileSink> open(
      const std::array<std::uint64_t, kOutputTopicCount>& lengths) const {
    absl::StatusOr<std::unique_ptr<FileSink>> sink =
        FileSink::open({.directory = directory_, .committed_lengths = lengths});
    EXPECT_TRUE(sink.ok()) << sink.status();
    (*sink)->abandon();
    return std::move(*sink);
  }

  std::string content(const char* name) const {
    std::ifstream file(directory_ / name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  std::filesystem::path directory_;
};

absl::Status append(FileSink& sink, const std::string& key, const std::string& value) {
  return sink.append(OutputTopic::kTransitions, std::nullopt, key, value, {});
}

TEST_F(FileSinkTest, WritesOneLineARecord) {
  const std::unique_ptr<FileSink> sink = open({});
  const std::array<Header, 1> headers = {{{.name = "ce_id", .value = "a\"b\\c\n\x01"}}};
  const std::array<Header, 1> raw = {{{.name = "raw", .value = "\xff"}}};
  ASSERT_TRUE(
      sink->append(OutputTopic::kTransitions, std::nullopt, "c1", "{\"seq\":1}", headers).ok());
  ASSERT_TRUE(sink->append(OutputTopic::kSegments, std::nullopt, "c1", std::nullopt, {}).ok());
  ASSERT_TRUE(
      sink->append(OutputTopic::kDeadLetters, std::nullopt, std::nullopt, "{\"x\":", raw).ok());
  ASSERT_TRUE(sink->append(OutputTopic::kDeadLetters, std::nullopt, "\xfe", "\xff\xfe", {}).ok());
  ASSERT_TRUE(sink->commit({}).ok());
  EXPECT_EQ(content("transitions.jsonl"),
            "{\"key\":\"c1\",\"headers\":{\"ce_id\":\"a\\\"b\\\\c\\n\\u0001\"},"
            "\"value\":{\"seq\":1}}\n");
  EXPECT_EQ(content("segments.jsonl"), "{\"key\":\"c1\",\"headers\":{},\"value\":null}\n");
  EXPECT_EQ(content("dead-letters.jsonl"),
            "{\"key\":null,\"headers\":{\"raw\":{\"base64\":\"/w==\"}},\"value\":\"{\\\"x\\\":\"}\n"
            "{\"key\":null,\"key_base64\":\"/"
            "g==\",\"headers\":{},\"value\":null,\"value_base64\":\"//4=\"}\n");
}

TEST_F(FileSinkTest, TouchesNoFileThatIsNotItsOwn) {
  std::ofstream(directory_ / "segments.jsonl") << "precious\n";
  const auto begins = FileSink::open({.directory = directory_, .begins = true});
  EXPECT_EQ(begins.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(begins.status().message().find("segments.jsonl"), std::string::npos) << begins.status();
  EXPECT_EQ(content("segments.jsonl"), "precious\n");
}

TEST_F(FileSinkTest, OneWritesADirectory) {
  const std::unique_ptr<FileSink> sink = open({});
  EXPECT_EQ(FileSink::open({.directory = directory_}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(FileSinkTest, CutsOffWhatWasNotCommitted) {
  std::unique_ptr<FileSink> sink = open({});
  ASSERT_TRUE(append(*sink, "a", "1").ok());
  absl::StatusOr<CommitReceipt> receipt = sink->commit({});
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  const std::string committed = content("transitions.jsonl");
  EXPECT_EQ(receipt->file_lengths[0], committed.size());

  ASSERT_TRUE(append(*sink, "a", std::string(3U << 20U, '7'))
                  .ok());  // Larger than the buffer: it is in the file.
  EXPECT_GT(content("transitions.jsonl").size(), committed.size());
  sink.reset();
  {  // One that is refused for another reason leaves what readers see.
    const std::string before = content("transitions.jsonl");
    ASSERT_TRUE(
        FileSink::open({.directory = directory_, .committed_lengths = receipt->file_lengths}).ok());
    EXPECT_EQ(content("transitions.jsonl"), before);
  }
  sink = open(receipt->file_lengths);
  EXPECT_EQ(content("transitions.jsonl"), committed);
  ASSERT_TRUE(append(*sink, "b", "2").ok());
  ASSERT_TRUE(sink->commit({}).ok());
  EXPECT_EQ(content("transitions.jsonl"),
            committed + "{\"key\":\"b\",\"headers\":{},\"value\":2}\n");
}

TEST_F(FileSinkTest, AbandonsAndGoesOn) {
  const std::unique_ptr<FileSink> sink = open({});
  ASSERT_TRUE(append(*sink, "a", std::string(3U << 20U, '7')).ok());
  sink->abandon();
  ASSERT_TRUE(append(*sink, "b", "2").ok());
  ASSERT_TRUE(sink->commit({}).ok());
  EXPECT_EQ(content("transitions.jsonl"), "{\"key\":\"b\",\"headers\":{},\"value\":2}\n");
}

TEST_F(FileSinkTest, RefusesFilesShorterThanWhatWasCommitted) {
  const absl::Status status =
      FileSink::open({.directory = directory_, .committed_lengths = {100}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

TEST_F(FileSinkTest, KeepsNoChangelog) {
  const std::unique_ptr<FileSink> sink = open({});
  EXPECT_TRUE(sink->keeps(OutputTopic::kTransitions));
  EXPECT_FALSE(sink->keeps(OutputTopic::kChangelog));
  ASSERT_TRUE(sink->append(OutputTopic::kChangelog, 0, "k", "v", {}).ok());
}

TEST_F(FileSinkTest, AFullDiskIsAnErrorForGood) {
  std::filesystem::create_symlink("/dev/full", directory_ / "transitions.jsonl");
  absl::StatusOr<std::unique_ptr<FileSink>> sink =
      FileSink::open({.directory = directory_, .committed_lengths = {}});
  ASSERT_TRUE(sink.ok()) << sink.status();
  (*sink)->abandon();
  const bool fails = !append(**sink, "a", "1").ok() || !(*sink)->commit({}).ok();
  EXPECT_TRUE(fails);
  EXPECT_FALSE(append(**sink, "a", "2").ok());
}

}  // namespace
}  // namespace rfm
