// The rules that turn a customer's invoices into state and segments. Semantic settings only: every
// field is in the model log (`rules/<n>`), so that state is a function of the two logs.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "model/segment_map.h"
#include "state/event_time.h"

namespace rfm {

enum class MonetaryKind : std::uint8_t { kNet, kGross };

// In order of name: the order in which they are evaluated at one instant.
enum class Segmentation : std::uint8_t { kChurn, kCluster, kRfm };
inline constexpr int kSegmentationCount = 3;
inline constexpr std::array<std::string_view, kSegmentationCount> kSegmentationNames = {
    "churn", "cluster", "rfm"};

// So that a row stays below what a changelog record may hold.
inline constexpr std::uint32_t kLedgerHardMax = 32'768;

struct Rules {
  std::int64_t version = 1;
  Duration lateness = std::chrono::seconds{60};
  Duration settle = std::chrono::seconds{60};
  Duration future_max = std::chrono::hours{1};
  Duration dedup_horizon = std::chrono::hours{24 * 400};
  // A ledger longer than `ledger_entries_max` folds what is older than `ledger_fold_age` before the
  // row's clock; one of `ledger_hard_max` takes no new invoices.
  std::uint32_t ledger_entries_max = 1024;
  Duration ledger_fold_age = std::chrono::hours{24 * 30};
  std::uint32_t ledger_hard_max = kLedgerHardMax;
  MonetaryKind monetary = MonetaryKind::kNet;
  std::optional<Duration> window;  // Absent: lifetime.
  double cluster_hysteresis = .1;  // On squared distances.
  double churn_medium_from = .33;  // Risk at and above which a customer is Medium.
  double churn_high_from = .66;
  std::array<Duration, kSegmentationCount> dwell{};  // Least time in a segment.
  double holdout_fraction = 0;
  SegmentMap map = SegmentMap::grid();
};

}  // namespace rfm
