// Goal: a stored row comes back as it was; what is damaged or newer is refused, never half read.
#include "state/row_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <string>

#include "state/advance.h"
#include "state/damping.h"
#include "state/evaluation.h"
#include "state/hashes.h"
#include "state/segmenter.h"
#include "tests/golden/golden_file.h"

namespace rfm {
namespace {

constexpr EventTime kTime = from_ms(1'322'000'000'123);

CustomerRow full_row() {
  Rules rules;
  rules.ledger_entries_max = 4;
  rules.ledger_fold_age = {};
  CustomerRow row;
  row.id = "17850";
  row.id_hash = customer_hash(row.id);
  row.birth = 0x0123456789abcdef;
  row.clock = kTime + Duration{5};
  row.newest_at = kTime;
  row.country = "United Kingdom";
  row.consent = true;
  for (std::uint64_t n = 1; n <= 5; ++n) {
    row.ledger.put({.number_hash = n * 0x1111111111111111,
                    .amount = {static_cast<std::int64_t>(n) * 12'345},
                    .time = kTime + Duration{static_cast<std::int64_t>(n)},
                    .country_bits = 0xabc},
                   rules, row.clock);
  }
  row.ledger.put({.number_hash = 77,
                  .amount = {-500},
                  .time = kTime + Duration{9},
                  .type = InvoiceType::kCredit,
                  .original_hash = 0x5555555555555555,
                  .revision = 3},
                 rules, row.clock);
  row.ledger.put({.number_hash = 77, .amount = {}, .time = kTime + Duration{9}, .is_void = true},
                 rules, row.clock);
  row.segments = {
      SegmentState{.since = kTime, .seq = 1, .segment = 3, .call = {.code = 4}},
      SegmentState{.since = kTime + Duration{1}, .seq = 2, .segment = 1, .call = {.code = 1}},
      SegmentState{.since = kTime + Duration{2},
                   .seq = 300,
                   .segment = 9,
                   .call = {.code = 100, .waiting = 1},
                   .called_reason = Reason::kPopulationShift,
                   .dropped = true,
                   .called_after_s = 86'400}};
  row.quiet_until = kTime + Duration{7};
  row.member = 4;
  row.cooldowns = std::make_unique<std::vector<Cooldown>>(
      std::vector<Cooldown>{{.segmentation = 2, .segment = 9, .until = kTime + Duration{8}}});
  row.dropped = std::make_unique<std::vector<DroppedSegmentation>>(std::vector<DroppedSegmentation>{
      {.name = "value-tiers", .seq = 6, .since = kTime + Duration{3}}});
  row.booked = -12'345;
  row.history = "moves";
  const CustomerFacts facts = facts_of(row, rules, nullptr, row.clock);
  row.feature_f = fixed_feature_f(facts.frequency);
  row.feature_m = fixed_feature_m(facts.monetary);
  row.open = std::make_unique<OpenInvoice>(OpenInvoice{.invoice_no = "536365",
                                                       .country = "France",
                                                       .sum = {-70'000},
                                                       .last_line = kTime + Duration{10},
                                                       .row_at = kTime + Duration{6},
                                                       .type = InvoiceType::kCredit,
                                                       .last_position = 77,
                                                       .event_ids = {1, 2, 3}});
  return row;
}

TEST(RowCodec, BytesAreAsPublished) {
  expect_golden("row_v5.txt", hex_lines(encode_row(full_row())));
}

TEST(RowCodec, ARowOfVersionOneIsRead) {
  const std::string bytes = bytes_of_hex(read_golden("row_v1.txt"));
  ASSERT_EQ(bytes[0], 1);
  const absl::StatusOr<CustomerRow> row = decode_row("17850", bytes, {Rules{}, ModelTimeline{}});
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->country, "United Kingdom");
  EXPECT_EQ(row->ledger.folded().count, 4U);
  const std::vector<LedgerInvoice> invoices = row->ledger.invoices();
  ASSERT_EQ(invoices.size(), 2U);
  EXPECT_TRUE(std::ranges::is_sorted(invoices, {}, &LedgerInvoice::time));
  // The sums follow from the entries: four are folded, the fifth has a credit.
  EXPECT_EQ(row->ledger.sums().frequency, 5U);
  EXPECT_EQ(row->ledger.sums().purchases, Money{15 * 12'345});
  EXPECT_EQ(row->ledger.sums().credits, Money{500});
  ASSERT_TRUE(row->open);
  EXPECT_EQ(row->open->sum, Money{-70'000});
  EXPECT_EQ(row->open->row_at, row->clock);
  EXPECT_EQ(row->open->last_position, -1) << "before go-live";
  EXPECT_EQ(row->open->event_ids.size(), 3U);
}

TEST(RowCodec, SegmentsOfVersionTwoAreFoundByTheirNames) {
  const Rules rules;
  const absl::StatusOr<CustomerRow> row =
      decode_row("17850", bytes_of_hex(read_golden("row_v2.txt")), {rules, ModelTimeline{}});
  ASSERT_TRUE(row.ok()) << row.status();
  const auto name = [&](std::size_t s) {
    return segment_info(rules.segmentations[s], row->segments[s].segment).name;
  };
  EXPECT_EQ(name(0), "Medium");
  EXPECT_EQ(name(1), "Unassigned");
  EXPECT_EQ(name(2), "Hibernating");
  EXPECT_EQ(row->segments[2].seq, 300U);
  const Segmenter rfm(rules, 2);
  EXPECT_EQ(rfm.segment_of(row->segments[2].call, ModelVersion{}), row->segments[2].segment);
}

TEST(RowCodec, ARowOfVersionThreeIsUnderTheFirstRules) {
  const absl::StatusOr<CustomerRow> row =
      decode_row("17850", bytes_of_hex(read_golden("row_v3.txt")), {Rules{}, ModelTimeline{}});
  ASSERT_TRUE(row.ok()) << row.status();
  CustomerRow expected = full_row();
  expected.dropped.reset();
  expected.booked.reset();
  expected.history.clear();
  EXPECT_TRUE(same_state(expected, *row));
}

TEST(RowCodec, ARowOfVersionFourIsNotBooked) {
  const absl::StatusOr<CustomerRow> row =
      decode_row("17850", bytes_of_hex(read_golden("row_v4.txt")), {Rules{}, ModelTimeline{}});
  ASSERT_TRUE(row.ok()) << row.status();
  CustomerRow expected = full_row();
  expected.booked.reset();
  expected.history.clear();
  EXPECT_TRUE(same_state(expected, *row));
}

TEST(RowCodec, ARowMeansWhatItsOwnRulesSay) {
  ModelTimeline logs;
  auto rules = std::make_shared<Rules>();
  rules->version = 2;
  auto only_cluster = Segmentations::create({*find_preset("cluster")});
  ASSERT_TRUE(only_cluster.ok()) << only_cluster.status();
  rules->segmentations = *std::move(only_cluster);
  CustomerRow row = full_row();
  row.rules = 2;
  row.segments = {row.segments[1]};
  row.cooldowns.reset();
  EXPECT_EQ(decode_row(row.id, encode_row(row), {Rules{}, logs}).status().code(),
            absl::StatusCode::kDataLoss)
      << "rules that the log does not hold";
  logs.append_rules(rules, 15'000);
  const absl::StatusOr<CustomerRow> read = decode_row(row.id, encode_row(row), {Rules{}, logs});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(same_state(row, *read));
}

// 1 MiB is what a topic takes unless it is set otherwise; 48 KiB are left for record and headers.
TEST(RowCodec, TheLargestRowFitsIntoAChangelogRecord) {
  const Rules rules;
  CustomerRow row;
  row.segments.resize(kSegmentationsMax);
  row.clock = kTime;
  row.country = std::string(1'024, 'x');
  const auto far = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  for (std::uint64_t n = 1; row.ledger.entries().size() < rules.ledger_hard_max; ++n) {
    ASSERT_EQ(row.ledger.put({.number_hash = ~n,
                              .amount = {static_cast<std::int64_t>(far / rules.ledger_hard_max)},
                              .time = kTime,
                              .type = InvoiceType::kCredit,
                              .original_hash = ~n,
                              .revision = static_cast<std::int64_t>(far - n)},
                             rules, kTime),
              LedgerOutcome::kApplied);
  }
  row.open = std::make_unique<OpenInvoice>();
  row.open->invoice_no = std::string(128, 'x');
  row.open->country = row.country;
  for (std::uint64_t n = 0; n < OpenInvoice::kEventIdsMax; ++n) row.open->event_ids.insert(~n);
  row.open->sold_lines = std::string(OpenInvoice::kLinesBytesMax + 128, 'x');
  row.booked = std::numeric_limits<std::int64_t>::max();
  row.history = std::string(4'096, 'x');
  EXPECT_LT(encode_row(row).size(), (1'024U - 48U) * 1'024U);
}

TEST(RowCodec, AFullRowComesBack) {
  const CustomerRow row = full_row();
  const absl::StatusOr<CustomerRow> read =
      decode_row(row.id, encode_row(row), {Rules{}, ModelTimeline{}});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(same_state(row, *read));
  EXPECT_EQ(read->id_hash, row.id_hash);
  EXPECT_EQ(read->feature_f, row.feature_f);
  EXPECT_EQ(read->feature_m, row.feature_m);
}

TEST(RowCodec, AnEmptyRowComesBack) {
  CustomerRow row;
  row.segments.resize(Rules{}.segmentations.size());
  const absl::StatusOr<CustomerRow> read =
      decode_row("", encode_row(row), {Rules{}, ModelTimeline{}});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(same_state(row, *read));
}

TEST(RowCodecProperty, RandomRowsComeBack) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto time = [&] {
      return from_ms(static_cast<std::int64_t>(random() >> (22 + random() % 20)));
    };
    CustomerRow row;
    row.id = std::string(random() % 128, 'x');
    row.birth = random();
    row.clock = time();
    row.newest_at = random() % 4 == 0 ? kBeforeAll : time();
    row.country = std::string(random() % 200, '\xc3');
    if (random() % 2 == 0) row.consent = random() % 2 == 0;
    Rules rules;
    rules.ledger_entries_max = 20;
    rules.ledger_fold_age = Duration{static_cast<std::int64_t>(random() >> 25)};
    for (std::uint64_t n = random() % 50; n > 0; --n) {
      row.ledger.put({.number_hash = random(),
                      .amount = {static_cast<std::int64_t>(random() >> (8 + random() % 50))},
                      .time = time(),
                      .type = random() % 4 == 0 ? InvoiceType::kCredit : InvoiceType::kInvoice,
                      .country_bits = static_cast<std::uint16_t>(random() & 0xfff),
                      .original_hash = random() % 3 == 0 ? random() : 0,
                      .revision = random() % 3 == 0 ? static_cast<std::int64_t>(random() >> 1) : 0,
                      .is_void = random() % 5 == 0},
                     rules, row.clock);
    }
    row.segments.resize(rules.segmentations.size());
    for (SegmentState& state : row.segments) {
      state = {.since = time(),
               .seq = static_cast<std::uint32_t>(random()),
               .segment = static_cast<SegmentCode>(random() % 5),
               .call = {.code = static_cast<std::uint16_t>(random() % 5),
                        .waiting = static_cast<std::uint8_t>(random() % 16)},
               .called_reason = static_cast<Reason>(random() % kReasonCount),
               .dropped = random() % 2 == 0,
               .called_after_s = static_cast<std::uint32_t>(random())};
    }
    row.quiet_until = random() % 2 == 0 ? kBeforeAll : time();
    row.member = static_cast<std::uint8_t>(random() % 17);
    if (random() % 2 == 0) {
      row.booked = static_cast<std::int64_t>(random());
      row.history = std::string(random() % 200, 'm');
    }
    const absl::StatusOr<CustomerRow> read =
        decode_row(row.id, encode_row(row), {rules, ModelTimeline{}});
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_TRUE(same_state(row, *read));
    ASSERT_EQ(encode_row(*read), encode_row(row));
  }
}

TEST(RowCodec, ANewerVersionIsRefused) {
  std::string bytes = encode_row(full_row());
  bytes[0] = static_cast<char>(kRowCodecVersion + 1);
  EXPECT_EQ(decode_row("1", bytes, {Rules{}, ModelTimeline{}}).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(RowCodec, ARowCutShortAnywhereIsDamaged) {
  const std::string bytes = encode_row(full_row());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // Its own copy, so that the sanitizer sees a read beyond it.
    const std::string cut(bytes, 0, size);
    EXPECT_EQ(decode_row("1", cut, {Rules{}, ModelTimeline{}}).status().code(),
              absl::StatusCode::kDataLoss)
        << size;
  }
  EXPECT_EQ(decode_row("1", bytes + '\0', {Rules{}, ModelTimeline{}}).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(RowCodec, SpoiledBytesAreReadOrRefused) {
  const std::string bytes = encode_row(full_row());
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string spoiled = bytes;
    for (std::uint64_t n = 1 + random() % 3; n > 0; --n)
      spoiled[1 + random() % (spoiled.size() - 1)] = static_cast<char>(random());
    const absl::StatusOr<CustomerRow> read = decode_row("1", spoiled, {Rules{}, ModelTimeline{}});
    ASSERT_TRUE(read.ok() || read.status().code() == absl::StatusCode::kDataLoss);
  }
}

}  // namespace
}  // namespace rfm
