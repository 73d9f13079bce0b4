// The rules that turn a customer's invoices into state and segments. Semantic settings only: every
// field is in the model log (`rules/<n>`), so that state is a function of the two logs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/segmentation.h"
#include "state/event_time.h"

namespace rfm {

enum class MonetaryKind : std::uint8_t { kNet, kGross };

// Which transitions are published; current segments always are.
enum class Publish : std::uint8_t { kAll, kActionable };

// So that a row stays below what a changelog record may hold.
inline constexpr std::uint32_t kLedgerHardMax = 32'768;

// By a list of names, those that it leaves out behind it in order of name. Names that there are not
// are passed over.
std::vector<std::size_t> precedence_of(std::span<const std::string> names,
                                       const Segmentations& segmentations);
// rfm, churn, cluster.
std::vector<std::size_t> default_precedence(const Segmentations& segmentations);

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
  Segmentations segmentations = Segmentations::defaults();
  // At most one transition of a customer within this time is actionable, unless he acts in between;
  // 0: any number.
  Duration quiet = std::chrono::hours{24 * 7};
  // Which one at one instant: indices of `segmentations`, the first goes before the others.
  std::vector<std::size_t> precedence = default_precedence(Segmentations::defaults());
  double holdout_fraction = 0;
  Publish publish = Publish::kAll;
  // Whether sales and moves are added up (sales_book.h, moves_book.h); set once.
  bool keeps_sales = true;
  bool keeps_moves = true;
  Duration sales_undo = std::chrono::hours{24 * 90};  // The lines of older invoices are forgotten.
  std::size_t sales_products_max = 10'000;            // In a partition, like countries.
  std::size_t sales_countries_max = 300;
};

}  // namespace rfm
