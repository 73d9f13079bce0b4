#include "stream/app/state_census.h"

#include "state/epoch.h"
#include "stream/app/progress.h"

namespace rfm {

absl::Status visit_customers(const OpenedState& state, const std::string& verb,
                             const VisitCustomer& visit) {
  constexpr std::uint64_t kEvery = 4'096;
  Progress progress(verb, "customers");
  std::uint64_t count = 0;
  absl::Status visited =
      state.snapshot->for_each([&](const PartitionSnapshot& partition, const CustomerRow& row) {
        if (++count % kEvery == 0) progress.update(count, std::nullopt, "");
        return visit(partition, row, state.snapshot->facts_at_clock(row, partition.meta));
      });
  progress.finish(count, "");
  return visited;
}

absl::StatusOr<Census> census_of(const OpenedState& state, const CensusOptions& options) {
  Census census(state.rules(), options);
  for (const PartitionSnapshot& partition : state.snapshot->partitions())
    census.reach(partition.meta.watermark);
  const absl::Status visited =
      visit_customers(state, "counted",
                      [&](const PartitionSnapshot& /*partition*/, const CustomerRow& row,
                          const CustomerFacts& facts) {
                        census.add(row, facts, state.rules_of(row));
                        return absl::OkStatus();
                      });
  if (!visited.ok()) return visited;
  return census;
}

namespace {

// Every cell of the books to `summary`.
template <class Summary>
absl::Status add_cells(const OpenedState& state, Summary& summary) {
  for (const PartitionSnapshot& partition : state.snapshot->partitions()) {
    const absl::Status read = state.snapshot->for_each_cell(
        partition.id, [&](std::string_view key, std::string_view bytes) {
          const std::optional<Book::Cell> cell = Book::decode(bytes);
          if (!cell) return absl::DataLossError("a cell of the books is damaged");
          summary.add(key, *cell);
          return absl::OkStatus();
        });
    if (!read.ok()) return read;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SalesSummary> sales_of(const OpenedState& state) {
  SalesSummary sales;
  if (const absl::Status read = add_cells(state, sales); !read.ok()) return read;
  return sales;
}

absl::StatusOr<MovesSummary> moves_of(const OpenedState& state) {
  MovesSummary moves(state.snapshot->logs());
  if (const absl::Status read = add_cells(state, moves); !read.ok()) return read;
  return moves;
}

const ModelVersion& version_of(const OpenedState& state) {
  return *state.snapshot->logs().models.effective_in(epoch_of(state.snapshot->clock()));
}

std::string currency_of(const OpenedState& state) {
  const std::map<std::string, std::string>& settings =
      state.snapshot->rules_records().back().settings;
  const auto found = settings.find("input.currency");
  return found == settings.end() ? "" : found->second;
}

}  // namespace rfm
