#include "stream/app/state_census.h"

#include "state/epoch.h"
#include "state/segment_names.h"
#include "stream/app/command.h"
#include "stream/app/progress.h"
#include "stream/app/stop_signal.h"

namespace rfm {

absl::Status visit_customers(const OpenedState& state, const std::string& verb,
                             const VisitCustomer& visit) {
  constexpr std::uint64_t kEvery = 4'096;
  const StopSignal stop;
  Progress progress(verb, "customers");
  std::uint64_t count = 0;
  absl::Status visited =
      state.snapshot->for_each([&](const PartitionSnapshot& partition, const CustomerRow& row) {
        if (++count % kEvery == 0) progress.update(count, std::nullopt, "");
        if (stop.asked()) return interrupted("not all customers were read");
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

template <class Add>
absl::Status each_cell(const OpenedState& state, Add add) {
  for (const PartitionSnapshot& partition : state.snapshot->partitions()) {
    const absl::Status read = state.snapshot->for_each_cell(
        partition.id, [&](std::string_view key, std::string_view bytes) {
          const std::optional<Book::Cell> cell = Book::decode(bytes);
          if (!cell) return absl::DataLossError("a cell of the books is damaged");
          add(key, *cell);
          return absl::OkStatus();
        });
    if (!read.ok()) return read;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SalesSummary> sales_of(const OpenedState& state) {
  SalesSummary sales;
  const absl::Status read =
      each_cell(state, [&](auto key, const Book::Cell& cell) { sales.add(key, cell); });
  if (!read.ok()) return read;
  return sales;
}

absl::StatusOr<MovesSummary> moves_of(const OpenedState& state) {
  SegmentNames names(state.snapshot->logs());
  const auto name_of = [&](std::uint32_t id) { return names.name_of(id); };
  MovesSummary moves;
  const absl::Status read =
      each_cell(state, [&](auto key, const Book::Cell& cell) { moves.add(key, cell, name_of); });
  if (!read.ok()) return read;
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
