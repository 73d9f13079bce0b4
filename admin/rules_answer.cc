// What a dry run of other rules says.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/state_answers.h"

namespace rfm {
namespace {

constexpr int kDigits = 3;

constexpr std::size_t kSamplesMax = 20;

// Most customers first, and some of them.
void write_moves(JsonText& out, const RulesTrial& trial) {
  struct Line {
    std::string_view segmentation, from, to;
    const RulesTrial::Move* move;
  };
  std::vector<Line> lines;
  for (const auto& [segmentation, moves] : trial.segmentations()) {
    for (const auto& [places, move] : moves.by_segments)
      lines.push_back({segmentation, places.first, places.second, &move});
  }
  std::ranges::stable_sort(lines, std::greater<>(),
                           [](const Line& line) { return line.move->customers; });
  const auto write_place = [&](const Line& line) {
    out.key("segmentation").text(line.segmentation);
    out.key("from").text(line.from);
    out.key("to").text(line.to);
  };
  out.key("moves").begin_array();
  for (const Line& line : lines) {
    out.begin_object();
    write_place(line);
    out.key("customers").integer(static_cast<std::int64_t>(line.move->customers));
    write_money(out, "monetary", line.move->monetary);
    out.end_object();
  }
  out.end_array();
  std::size_t left = kSamplesMax;
  out.key("samples").begin_array();
  for (const Line& line : lines) {
    for (const std::string& id : line.move->examples) {
      if (left == 0) break;
      --left;
      out.begin_object();
      out.key("customer_id").text(id);
      write_place(line);
      out.end_object();
    }
  }
  out.end_array();
}

}  // namespace

StateAnswers::Answer StateAnswers::trial(const RulesProposal& proposal) {
  std::string key = std::to_string(proposal.version);
  for (const RulesProposal::Difference& each : proposal.differences)
    key += fmt::format("\n{} = {}", each.key, each.after);
  const auto made = trials_
                        .get(std::move(key),
                             [rules = proposal.rules](const PassContext& context) {
                               return RulesTrial(context.rules(), rules);
                             })
                        ->get(desks_, clock_);
  if (!made.ok()) return made.status();
  const RulesTrial& trial = (*made)->sums;
  return told((*made)->context, trial.as_of(), [&](JsonText& out) {
    out.key("differences").begin_array();
    for (const RulesProposal::Difference& each : proposal.differences) {
      out.begin_object();
      out.key("key").text(each.key);
      out.key("before").text(each.before);
      out.key("after").text(each.after);
      out.end_object();
    }
    out.end_array();
    out.key("customers").integer(static_cast<std::int64_t>(trial.customers()));
    out.key("customers_moved").integer(static_cast<std::int64_t>(trial.moved()));
    write_moves(out, trial);
    const PassContext& context = (*made)->context;
    const RulesTrial::Rate rate = trial.transitions_per_day(context.rules(), context.logs->models);
    out.key("transitions_per_day").begin_object();
    out.key("now").fixed(rate.now, kDigits);
    out.key("then").fixed(rate.then, kDigits);
    out.key("days").integer(kRehearsedDays);
    out.key("sampled").integer(static_cast<std::int64_t>(rate.sampled));
    out.end_object();
  });
}

}  // namespace rfm
