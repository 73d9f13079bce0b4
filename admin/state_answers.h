// What the paths that ask of customers answer, by the lanes' own state. Any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "admin/admin_request.h"
#include "admin/answer_text.h"
#include "admin/book_sums.h"
#include "admin/cluster_count_work.h"
#include "admin/kept_pass.h"
#include "admin/request_parameters.h"
#include "admin/rules_author.h"
#include "admin/state_desks.h"
#include "admin/status_board.h"
#include "model/training.h"
#include "stream/analyse/census.h"
#include "stream/analyse/churn_forecasts.h"
#include "stream/analyse/cluster_sample.h"
#include "stream/analyse/customer_list.h"
#include "stream/record/clock.h"
#include "stream/run/rules_trial.h"

namespace rfm {

// A page of customers, and what it is as of.
struct ListedPage {
  CustomerList list;
  EventTime as_of = kBeforeAll;

  void add(const CustomerRow& row, const CustomerFacts& facts, const Rules& rules) {
    list.add(row, facts, rules);
  }
  void reach(EventTime clock) { as_of = std::max(as_of, clock); }
  void merge(const ListedPage& other) {
    reach(other.as_of);
    list.merge(other.list);
  }
};

// Simplified, by the number of the version: of its clusters on a sample of customers as they were.
using Silhouettes = std::map<std::int64_t, double>;

class StateAnswers {
 public:
  // `desks`, `board` and `clock` outlive it. `training`: how the application fits clusters.
  StateAnswers(StateDesks& desks, const StatusBoard& board, const Clock& clock,
               std::string currency, TrainingOptions training);

  // Absent body: none of its paths.
  AdminReply get(const AdminRequest& request);

  // Who would move.
  AdminReply dry_run(const RulesProposal& proposal);

  // "  /customers ...", a line for each path.
  static std::string_view list();

 private:
  using CensusPass = KeptPass<Census>;
  using Listed = KeptPass<ListedPage>;
  using BookPass = KeptPass<BookSums>;
  using MovedPass = KeptPass<MovedSums>;
  using TrialPass = KeptPass<RulesTrial>;
  using SamplePass = KeptPass<ClusterSample>;
  using ForecastPass = KeptPass<ChurnForecasts>;
  using Answer = absl::StatusOr<std::string>;  // JSON.

  // Passes for what was asked last, the latest first, by what was asked.
  template <class Pass>
  class KeptPasses {
   public:
    // Shared, because who waits for one may outlast its place here.
    std::shared_ptr<Pass> get(std::string key, typename Pass::Make make);

   private:
    static constexpr std::size_t kMax = 16;

    std::mutex mutex_;
    std::vector<std::pair<std::string, std::shared_ptr<Pass>>> passes_;
  };

  Answer answer(const AdminRequest& request);
  Answer customer(std::string_view id);
  Answer customers(const AdminRequest& request);
  Answer segments(const AdminRequest& request);
  Answer grid(const AdminRequest& request);
  Answer retention(const AdminRequest& request);
  Answer risk(const AdminRequest& request);
  Answer model(const AdminRequest& request);
  Answer cluster_counts(const AdminRequest& request);
  Answer score(const AdminRequest& request);
  Answer sales(const AdminRequest& request);
  Answer transitions(const AdminRequest& request);
  Answer moved_customers(const AdminRequest& request);
  Answer trial(const RulesProposal& proposal);

  absl::StatusOr<std::shared_ptr<const CensusPass::Made>> census();
  absl::StatusOr<std::shared_ptr<const BookPass::Made>> books();
  // What the parameters say of moves. kFailedPrecondition: the state keeps none.
  static absl::StatusOr<MovesAsked> moves_asked(RequestParameters& parameters,
                                                const BookPass::Made& books);
  absl::StatusOr<std::shared_ptr<const MovedPass::Made>> moved(const MovesAsked& asked);
  absl::StatusOr<std::shared_ptr<const SamplePass::Made>> sample(const PassContext& known);
  // Both are without what is in the making.
  Silhouettes silhouettes(const PassContext& known);
  std::vector<ChurnForecast> forecasts(const PassContext& known);
  // For what the logs alone answer.
  absl::StatusOr<PassContext> context();
  absl::StatusOr<std::shared_ptr<const Listed::Made>> listed(const CustomerQuery& query);
  AnswerScope scope(const PassContext& context, EventTime as_of) const;
  // An answer as of `as_of`: its scope, then what `write` writes.
  std::string told(const PassContext& context, EventTime as_of,
                   absl::FunctionRef<void(JsonText&)> write) const;
  // What is told of all customers.
  struct Counted {
    const PassContext& context;
    const Census& census;
    std::size_t segmentation;  // That is asked for.
  };
  Answer counted(RequestParameters& parameters,
                 absl::FunctionRef<void(JsonText&, const Counted&)> write);

  StateDesks& desks_;
  const StatusBoard& board_;
  const Clock& clock_;
  const std::string currency_;
  CensusPass census_;
  BookPass books_;
  KeptPasses<Listed> lists_;
  KeptPasses<MovedPass> moved_;
  KeptPasses<TrialPass> trials_;
  KeptPasses<SamplePass> samples_;
  ForecastPass forecast_pass_;
  std::mutex figures_mutex_;                    // Of the four below.
  std::optional<std::int64_t> silhouettes_of_;  // The number of the last version.
  Silhouettes silhouettes_;
  std::optional<std::int64_t> forecasts_epoch_;
  std::vector<ChurnForecast> forecasts_;
  std::atomic<std::chrono::steady_clock::time_point> counted_at_{};
  ClusterCountWork cluster_counts_;  // Gone first.
};

template <class Pass>
std::shared_ptr<Pass> StateAnswers::KeptPasses<Pass>::get(std::string key,
                                                          typename Pass::Make make) {
  const std::scoped_lock lock(mutex_);
  auto found = std::ranges::find_if(passes_, [&](const auto& p) { return p.first == key; });
  if (found == passes_.end()) {
    if (passes_.size() == kMax) passes_.pop_back();
    passes_.emplace_back(std::move(key), std::make_shared<Pass>(std::move(make)));
    found = passes_.end() - 1;
  }
  std::rotate(passes_.begin(), found, found + 1);
  return passes_.front().second;
}

// The index of the segmentation that is asked for, by default the first of `rules` by precedence.
std::size_t segmentation_asked(RequestParameters& parameters, const Rules& rules);

// The lines of a list of customers.
void write_listed(JsonText& out, const ListedCustomer& customer, const Rules& rules);

// The member `history` of one customer.
void write_history(JsonText& out, const std::vector<CustomerMove>& moves);

// The member `days`: the stock of each segment at the end of each day from the first change to
// that of the books, of these those asked for.
void write_stock_days(JsonText& out, const BookSums& books, std::string_view segmentation,
                      std::optional<std::int64_t> from, std::optional<std::int64_t> to);

// When models and rules took effect, from the first on.
struct LoggedVersion {
  enum class Kind : std::uint8_t { kModel, kRules };
  Kind kind = Kind::kModel;
  std::int64_t epoch = 0;  // From the beginning of this one on.
  const ModelVersion* model = nullptr;
  const Rules* rules = nullptr;
};
// Up to those that are known at `context.epoch`.
std::vector<LoggedVersion> logged_versions(const PassContext& context);
std::string what_changed(const ModelVersion& version);

// The model's versions with centroids in days, orders and money. `census`: null, or with what the
// clusters in force hold. `forecasts`: of past churn models.
void write_models(JsonText& out, const PassContext& context, const Census* census,
                  const Silhouettes& silhouettes, std::span<const ChurnForecast> forecasts);
// Churn models in order of time, of which what they foretold is over.
std::vector<PastChurnModel> past_churn_models(const PassContext& context);

// A customer who is typed in.
struct TypedCustomer {
  double recency_days = 0;
  std::int64_t frequency = 1;
  Money monetary;
  double first_purchase_days = 0;
};
void write_score(JsonText& out, const TypedCustomer& typed, const PassContext& context,
                 EventTime as_of);

}  // namespace rfm
