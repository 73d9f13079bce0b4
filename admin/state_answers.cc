#include "admin/state_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "state/row_codec.h"
#include "stream/analyse/customer_view.h"
#include "stream/text/text_buffer.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

constexpr std::string_view kCustomers = "/customers/";
constexpr std::size_t kCustomerIdBytesMax = 128;

// Where a customer is, as he is stored: he is read where he is asked for, not by the lane.
class FindCustomer final : public LaneQuery {
 public:
  explicit FindCustomer(std::string_view id) : id_(id) {}

  Progress look(const CommittedState& state) override {
    context_ = pass_context(state);
    for (const Partition* p : state.partitions) {
      const CustomerRow* const row = p->rows().find(id_);
      if (row == nullptr) continue;
      found_.emplace(
          Found{p->id(), p->meta().watermark, encode_row(*row), moves_of(*row, p->books())});
      break;
    }
    return Progress::kDone;
  }

  struct Found {
    PartitionId partition = 0;
    EventTime watermark{};
    std::string row;
    std::vector<CustomerMove> moves;
  };
  const PassContext& context() const { return context_; }
  const std::optional<Found>& found() const { return found_; }

 private:
  const std::string id_;
  PassContext context_;
  std::optional<Found> found_;
};

class AskContext final : public LaneQuery {
 public:
  Progress look(const CommittedState& state) override {
    context_ = pass_context(state);
    return Progress::kDone;
  }
  const PassContext& context() const { return context_; }

 private:
  PassContext context_;
};

AdminReply reply_of(const absl::StatusOr<std::string>& answer) {
  if (answer.ok()) return json_reply(*answer);
  const std::string_view detail(answer.status().message().data(), answer.status().message().size());
  switch (answer.status().code()) {
    case absl::StatusCode::kInvalidArgument:
      return error_reply(400, "bad_request", detail);
    case absl::StatusCode::kNotFound:
      return error_reply(404, "not_found", detail);
    case absl::StatusCode::kFailedPrecondition:
      return error_reply(404, "not_kept", detail);
    case absl::StatusCode::kResourceExhausted:
      return error_reply(503, "busy", detail);
    case absl::StatusCode::kDeadlineExceeded:
      return error_reply(202, "in_the_making", "ask again in a second");
    default:
      return error_reply(503, "unavailable", detail);
  }
}

std::chrono::steady_clock::time_point wait_end() {
  return std::chrono::steady_clock::now() + StateDesks::kWaitMax;
}

template <class Query>
PassContext context_of(const std::vector<std::shared_ptr<Query>>& asked) {
  PassContext context = asked.front()->context();
  int partitions = 0;
  for (const auto& each : asked) {
    partitions += each->context().partitions;
    if (each->context().epoch > context.epoch) context = each->context();
  }
  context.partitions = partitions;
  return context;
}

}  // namespace

StateAnswers::StateAnswers(StateDesks& desks, const StatusBoard& board, const Clock& clock,
                           std::string currency, TrainingOptions training)
    : desks_(desks),
      board_(board),
      clock_(clock),
      currency_(std::move(currency)),
      census_([](const PassContext& context) {
        CensusOptions options;
        options.past_model = context.version_in(context.epoch - kRiskEpochs);
        return Census(context.rules(), options);
      }),
      books_([](const PassContext&) { return BookSums(); }),
      forecast_pass_([](const PassContext& context) {
        const ModelVersion* const version = context.version();
        return ChurnForecasts(past_churn_models(context),
                              version == nullptr ? 0 : version->population);
      }),
      cluster_counts_(std::move(training)) {}

std::string_view StateAnswers::list() {
  return "/segments        who is in which segment, and what they are worth\n"
         "/transitions     who moved from where to where, and why\n"
         "/sales           by day, country, month, hour and product\n"
         "/grid            customers by their scores\n"
         "/customers       customers of a segment or a country, by page\n"
         "/customers/ID    everything about one of them\n"
         "/retention       months of first purchase, lost and regained customers\n"
         "/risk            churn risk, and the money at risk\n"
         "/model           versions of the model\n"
         "/k               how many clusters: what speaks for each number\n"
         "/score           where a customer with such figures would be\n";
}

AdminReply StateAnswers::dry_run(const RulesProposal& proposal) {
  const StateDesks::Place place(desks_);
  if (!place) return error_reply(503, "busy", "too many ask at the same time");
  return reply_of(trial(proposal));
}

AdminReply StateAnswers::get(const AdminRequest& request) {
  const StateDesks::Place place(desks_);
  if (!place) return error_reply(503, "busy", "too many ask at the same time");
  return reply_of(answer(request));
}

StateAnswers::Answer StateAnswers::answer(const AdminRequest& request) {
  const std::string_view path = request.path;
  if (path.starts_with(kCustomers)) {
    static constexpr std::array<std::string_view, 1> kAllowed = {"missing"};
    RequestParameters parameters(request, kAllowed);
    const bool is_empty_if_missing = parameters.text("missing").value_or("") == "empty";
    if (parameters.text("missing") && !is_empty_if_missing) parameters.refuse("missing", "empty");
    if (!parameters.status().ok()) return parameters.status();
    Answer found = customer(path.substr(kCustomers.size()));
    if (is_empty_if_missing && absl::IsNotFound(found.status())) return "{}";
    return found;
  }
  using Handler = Answer (StateAnswers::*)(const AdminRequest&);
  static constexpr std::array<std::pair<std::string_view, Handler>, 11> kPaths = {{
      {"/customers", &StateAnswers::customers},
      {"/segments", &StateAnswers::segments},
      {"/grid", &StateAnswers::grid},
      {"/retention", &StateAnswers::retention},
      {"/risk", &StateAnswers::risk},
      {"/model", &StateAnswers::model},
      {"/k", &StateAnswers::cluster_counts},
      {"/score", &StateAnswers::score},
      {"/sales", &StateAnswers::sales},
      {"/transitions", &StateAnswers::transitions},
      {"/transitions/customers", &StateAnswers::moved_customers},
  }};
  const auto found =
      std::ranges::find_if(kPaths, [&](const auto& entry) { return entry.first == path; });
  if (found == kPaths.end()) return absl::NotFoundError("there is no such path; see /");
  return (this->*found->second)(request);
}

AnswerScope StateAnswers::scope(const PassContext& context, EventTime as_of) const {
  return {.as_of = as_of,
          .partitions_held = context.partitions,
          .partitions_total = board_.latest()->partition_count,
          .currency = currency_};
}

std::string StateAnswers::told(const PassContext& context, EventTime as_of,
                               absl::FunctionRef<void(JsonText&)> write) const {
  TextBuffer text;
  JsonText out(text);
  out.begin_object();
  write_scope(out, scope(context, as_of), context.rules(), context.version());
  write(out);
  out.end_object();
  return std::string(text.view());
}

absl::StatusOr<std::shared_ptr<const StateAnswers::CensusPass::Made>> StateAnswers::census() {
  return census_.get(desks_, clock_);
}

absl::StatusOr<PassContext> StateAnswers::context() {
  const auto asked =
      desks_.ask(QueryDesk::Kind::kLook, [] { return std::make_shared<AskContext>(); });
  if (!asked.ok()) return asked.status();
  if (const absl::Status done = StateDesks::wait(*asked, wait_end()); !done.ok()) return done;
  return context_of(*asked);
}

StateAnswers::Answer StateAnswers::customer(std::string_view id) {
  if (id.empty() || id.size() > kCustomerIdBytesMax || !is_utf8(id))
    return absl::NotFoundError("there is no such customer");
  const auto asked =
      desks_.ask(QueryDesk::Kind::kLook, [&] { return std::make_shared<FindCustomer>(id); });
  if (!asked.ok()) return asked.status();
  if (const absl::Status done = StateDesks::wait(*asked, wait_end()); !done.ok()) return done;
  for (const auto& lane : *asked) {
    if (!lane->found()) continue;
    const FindCustomer::Found& found = *lane->found();
    const TimeContext logs = lane->context().logs->context();
    const absl::StatusOr<CustomerRow> row = decode_row(id, found.row, logs);
    if (!row.ok()) return row.status();
    const CustomerView view = view_of(*row, found.partition, found.watermark, logs);
    const AnswerScope scope = this->scope(context_of(*asked), view.facts.at);
    TextBuffer text;
    JsonText out(text);
    out.begin_object();
    write_customer(out, view);
    write_history(out, found.moves);
    out.key("currency").text(scope.currency);
    out.key("monetary_kind").text(view.rules.monetary == MonetaryKind::kNet ? "net" : "gross");
    out.key("partitions").begin_object();
    out.key("held").integer(scope.partitions_held);
    out.key("total").integer(scope.partitions_total);
    out.end_object();
    out.end_object();
    return std::string(text.view());
  }
  return absl::NotFoundError("there is no such customer");
}

absl::StatusOr<std::shared_ptr<const StateAnswers::Listed::Made>> StateAnswers::listed(
    const CustomerQuery& query) {
  const auto [segmentation, segment] = query.segment.value_or(CustomerQuery::Segment{});
  // No name holds a line's end.
  std::string key = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", segmentation, segment, name(query.sort),
                                query.page, query.size, query.country ? "=" + *query.country : "");
  return lists_
      .get(std::move(key),
           [query](const PassContext& context) {
             return ListedPage{.list = CustomerList(context.rules(), query)};
           })
      ->get(desks_, clock_);
}

absl::StatusOr<std::shared_ptr<const StateAnswers::MovedPass::Made>> StateAnswers::moved(
    const MovesAsked& asked) {
  // No name holds a line's end.
  std::string key = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", asked.segmentation,
                                asked.from_day, asked.to_day, static_cast<int>(asked.by),
                                asked.reason ? static_cast<int>(*asked.reason) : -1,
                                asked.from_segment, asked.to_segment, asked.page, asked.size);
  return moved_.get(std::move(key), [asked](const PassContext&) { return MovedSums(asked); })
      ->get(desks_, clock_);
}

StateAnswers::Answer StateAnswers::customers(const AdminRequest& request) {
  static constexpr std::array<std::string_view, 6> kAllowed = {"segmentation", "segment", "country",
                                                               "sort",         "page",    "size"};
  constexpr std::int64_t kListedMax = 10'000;  // Up to the end of the page asked for.
  constexpr std::int64_t kSizeMax = 500;
  RequestParameters parameters(request, kAllowed);
  CustomerQuery query;
  query.size = static_cast<std::size_t>(parameters.integer("size", 50, 1, kSizeMax));
  query.page = static_cast<std::size_t>(
      parameters.integer("page", 0, 0, kListedMax / static_cast<std::int64_t>(query.size) - 1));
  query.country = parameters.utf8("country");
  if (const auto sort = parameters.text("sort")) {
    const std::optional<CustomerSort> known = find_customer_sort(*sort);
    if (known) {
      query.sort = *known;
    } else {
      parameters.refuse("sort", "monetary, churn_risk, value_at_risk, frequency, recency");
    }
  }
  if (!parameters.status().ok()) return parameters.status();
  const absl::StatusOr<PassContext> known = context();
  if (!known.ok()) return known.status();
  const Rules& rules = known->rules();
  const std::size_t segmentation = segmentation_asked(parameters, rules);
  if (!parameters.status().ok()) return parameters.status();
  if (const auto segment = parameters.text("segment")) {
    const Segmentation& shown = rules.segmentations[segmentation];
    query.segment = {.segmentation = shown.name(), .segment = *segment};
    if (!find_segment(shown, *segment))
      parameters.refuse("segment", "a segment of the segmentation");
    if (!parameters.status().ok()) return parameters.status();
  }
  const auto made = listed(query);
  if (!made.ok()) return made.status();
  const CustomerList& list = (*made)->sums.list;
  return told((*made)->context, (*made)->sums.as_of, [&](JsonText& out) {
    out.key("total").integer(static_cast<std::int64_t>(list.total()));
    out.key("customers").begin_array();
    for (const ListedCustomer& customer : list.page())
      write_listed(out, customer, (*made)->context.rules());
    out.end_array();
  });
}

}  // namespace rfm
