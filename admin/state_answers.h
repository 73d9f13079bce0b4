// What the paths that ask of customers answer, by the lanes' own state. Any thread.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "admin/admin_request.h"
#include "admin/answer_text.h"
#include "admin/kept_pass.h"
#include "admin/request_parameters.h"
#include "admin/state_desks.h"
#include "admin/status_board.h"
#include "stream/analyse/census.h"
#include "stream/analyse/customer_list.h"
#include "stream/record/clock.h"

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

class StateAnswers {
 public:
  // `desks`, `board` and `clock` outlive it.
  StateAnswers(StateDesks& desks, const StatusBoard& board, const Clock& clock,
               std::string currency);

  // Absent body: none of its paths.
  AdminReply get(const AdminRequest& request);

  // "  /customers ...", a line for each path.
  static std::string_view list();

 private:
  using CensusPass = KeptPass<Census>;
  using Listed = KeptPass<ListedPage>;
  using Answer = absl::StatusOr<std::string>;  // JSON.

  // One list that is kept.
  struct KeptList {
    std::string key;
    // Shared, because who waits for it may outlast its place here.
    std::shared_ptr<Listed> list;
  };

  Answer answer(const AdminRequest& request);
  Answer customer(std::string_view id);
  Answer customers(const AdminRequest& request);
  Answer segments(const AdminRequest& request);
  Answer grid(const AdminRequest& request);
  Answer retention(const AdminRequest& request);
  Answer risk(const AdminRequest& request);
  Answer model(const AdminRequest& request);
  Answer score(const AdminRequest& request);

  absl::StatusOr<std::shared_ptr<const CensusPass::Made>> census();
  // For what the logs alone answer.
  absl::StatusOr<PassContext> context();
  std::shared_ptr<Listed> list_of(const CustomerQuery& query);
  AnswerScope scope(const PassContext& context, EventTime as_of) const;

  StateDesks& desks_;
  const StatusBoard& board_;
  const Clock& clock_;
  const std::string currency_;
  CensusPass census_;
  std::mutex mutex_;             // Guards `lists_`.
  std::vector<KeptList> lists_;  // The one asked for last is first.
};

// The index of the segmentation that is asked for, by default the first of `rules` by precedence.
std::size_t segmentation_asked(RequestParameters& parameters, const Rules& rules);

// The lines of a list of customers.
void write_listed(JsonText& out, const ListedCustomer& customer, const Rules& rules);

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
// clusters in force hold.
void write_models(JsonText& out, const PassContext& context, const Census* census);

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
