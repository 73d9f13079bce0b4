#include "model/cluster_names.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <unordered_map>

#include "model/deterministic_math.h"

namespace rfm {
namespace {

constexpr double kRecentDaysMax = 90;
constexpr double kOftenMin = 1.5;
constexpr double kTop = 2.5;  // Times what is often or much.

constexpr std::array<std::string_view, kNamedClusterCount> kNames = {
    "Champions", "Loyal", "Occasional", "Dormant high-value", "Hibernating"};
constexpr std::array<std::string_view, 2> kRecencyWords = {"Recent", "Silent"};
constexpr std::array<std::string_view, 3> kPurchasesWords = {"one purchase", "repeat purchases",
                                                             "many purchases"};
constexpr std::array<std::string_view, 3> kSpendWords = {"low spend", "high spend", "top spend"};

constexpr int kPlainBegin = 16;  // Room for names.
constexpr int kNumberCount = kClustersMax + 1;

template <std::size_t kCount, class Word>
std::string_view word(const std::array<std::string_view, kCount>& words, Word which) {
  return words[static_cast<std::size_t>(which)];
}

std::string text_of(ClusterNameCode code) {
  if (code < kNamedClusterCount) return std::string(kNames[code]);
  const std::optional<PlainName> plain = plain_name(code);
  if (!plain) return {};
  std::string text(word(kRecencyWords, plain->recency));
  text += ", ";
  text += word(kPurchasesWords, plain->purchases);
  text += ", ";
  text += word(kSpendWords, plain->spend);
  if (plain->number > 0) text += " (" + std::to_string(plain->number) + ")";
  return text;
}

const std::vector<std::string>& texts() {
  static const std::vector<std::string> kTexts = [] {
    std::vector<std::string> all;
    for (ClusterNameCode code = 0; code < kClusterNameCodesEnd; ++code)
      all.push_back(text_of(code));
    return all;
  }();
  return kTexts;
}

double over(double value, double limit) { return value <= limit ? 1 : value / limit; }
double under(double value, double limit) { return value >= limit ? 1 : limit / value; }

// Gives each name that no cluster bears to the richest that meets it and may change.
void give_free_names(const ClusterNameConditions& conditions,
                     std::vector<std::optional<ClusterNameCode>>& names) {
  for (ClusterNameCode name = 0; name < kNamedClusterCount; ++name) {
    if (std::ranges::count(names, std::optional(name)) > 0) continue;
    std::optional<std::size_t> richest;
    for (std::size_t id = 0; id < names.size(); ++id) {
      const bool may_change = !names[id] || plain_name(*names[id]).has_value() ||
                              (name == kChampions && *names[id] == kLoyal);
      if (!may_change || !conditions.meets(name, id)) continue;
      if (!richest || conditions.monetary(id) > conditions.monetary(*richest)) richest = id;
    }
    if (richest) names[*richest] = name;
  }
}

}  // namespace

ClusterNameCode plain_name_code(const PlainName& name) {
  int code = static_cast<int>(name.recency);
  code = code * static_cast<int>(kPurchasesWords.size()) + static_cast<int>(name.purchases);
  code = code * static_cast<int>(kSpendWords.size()) + static_cast<int>(name.spend);
  return static_cast<ClusterNameCode>(kPlainBegin + code * kNumberCount + name.number);
}

std::optional<PlainName> plain_name(ClusterNameCode code) {
  if (code < kPlainBegin || code >= kClusterNameCodesEnd) return std::nullopt;
  int rest = code - kPlainBegin;
  const auto next = [&rest](int count) {
    const int digit = rest % count;
    rest /= count;
    return digit;
  };
  PlainName name;
  name.number = next(kNumberCount);
  name.spend = static_cast<SpendWord>(next(static_cast<int>(kSpendWords.size())));
  name.purchases = static_cast<PurchasesWord>(next(static_cast<int>(kPurchasesWords.size())));
  name.recency = static_cast<RecencyWord>(rest);
  return name;
}

std::string_view cluster_name(ClusterNameCode code) {
  return code < kClusterNameCodesEnd ? std::string_view(texts()[code]) : std::string_view();
}

std::optional<ClusterNameCode> find_cluster_name(std::string_view text) {
  static const std::unordered_map<std::string_view, ClusterNameCode> kCodes = [] {
    std::unordered_map<std::string_view, ClusterNameCode> codes;
    for (ClusterNameCode code = 0; code < kClusterNameCodesEnd; ++code) {
      if (!texts()[code].empty()) codes.emplace(texts()[code], code);
    }
    return codes;
  }();
  const auto found = kCodes.find(text);
  return found == kCodes.end() ? std::nullopt : std::optional(found->second);
}

ClusterNameConditions::ClusterNameConditions(std::span<const FeatureVector> centroids,
                                             const FeatureVector& population) {
  clusters_.reserve(centroids.size());
  for (const FeatureVector& centroid : centroids) clusters_.push_back(figures_of(centroid));
  const Figures all = figures_of(population);
  recent_days_max_ = std::min(all.recency_days, kRecentDaysMax);
  often_min_ = std::max(all.frequency, kOftenMin);
  much_min_ = all.monetary;
}

ClusterNameConditions::Figures ClusterNameConditions::figures_of(const FeatureVector& mean) {
  return {.recency_days = det_expm1(mean[0]),
          .frequency = det_expm1(mean[1]),
          .monetary = det_expm1(mean[2])};
}

bool ClusterNameConditions::is_recent(std::size_t cluster) const {
  return clusters_[cluster].recency_days <= recent_days_max_;
}

bool ClusterNameConditions::is_often(std::size_t cluster) const {
  return clusters_[cluster].frequency >= often_min_;
}

double ClusterNameConditions::champions_monetary_min(std::size_t cluster) const {
  double least = kTop * much_min_;
  for (std::size_t other = 0; other < clusters_.size(); ++other) {
    if (other != cluster && is_recent(other) && is_often(other))
      least = std::max(least, clusters_[other].monetary);
  }
  return least;
}

bool ClusterNameConditions::meets(ClusterNameCode name, std::size_t cluster) const {
  const bool is_much = clusters_[cluster].monetary >= much_min_;
  const bool is_good = is_often(cluster) && is_much;
  switch (name) {
    case kChampions:
      return is_recent(cluster) && is_often(cluster) &&
             clusters_[cluster].monetary >= champions_monetary_min(cluster);
    case kLoyal:
      return is_recent(cluster) && is_good;
    case kOccasional:
      return is_recent(cluster) && !is_good;
    case kDormantHighValue:
      return !is_recent(cluster) && is_much;
    case kHibernating:
      return !is_recent(cluster) && !is_much;
    default:
      break;
  }
  PlainName described = description(cluster);
  const std::optional<PlainName> plain = plain_name(name);
  if (!plain) return false;
  described.number = plain->number;
  return described == *plain;
}

double ClusterNameConditions::missed_by(ClusterNameCode name, std::size_t cluster) const {
  const Figures& x = clusters_[cluster];
  const double not_recent = over(x.recency_days, recent_days_max_);
  const double not_silent = under(x.recency_days, recent_days_max_);
  const double not_often = under(x.frequency, often_min_);
  const double not_much = under(x.monetary, much_min_);
  switch (name) {
    case kChampions:
      return std::max({not_recent, not_often, under(x.monetary, champions_monetary_min(cluster))});
    case kLoyal:
      return std::max({not_recent, not_often, not_much});
    case kOccasional:
      return std::max(not_recent,
                      std::min(over(x.frequency, often_min_), over(x.monetary, much_min_)));
    case kDormantHighValue:
      return std::max(not_silent, not_much);
    case kHibernating:
      return std::max(not_silent, over(x.monetary, much_min_));
    default:
      break;
  }
  const std::optional<PlainName> plain = plain_name(name);
  return plain ? plain_missed_by(*plain, x) : std::numeric_limits<double>::infinity();
}

double ClusterNameConditions::plain_missed_by(const PlainName& name, const Figures& x) const {
  double missed = name.recency == RecencyWord::kRecent ? over(x.recency_days, recent_days_max_)
                                                       : under(x.recency_days, recent_days_max_);
  if (name.purchases == PurchasesWord::kOne) {
    missed = std::max(missed, over(x.frequency, kOftenMin));
  } else if (name.purchases == PurchasesWord::kRepeat) {
    missed =
        std::max({missed, under(x.frequency, kOftenMin), over(x.frequency, kTop * often_min_)});
  } else {
    missed = std::max(missed, under(x.frequency, kTop * often_min_));
  }
  if (name.spend == SpendWord::kLow) {
    missed = std::max(missed, over(x.monetary, much_min_));
  } else if (name.spend == SpendWord::kHigh) {
    missed = std::max({missed, under(x.monetary, much_min_), over(x.monetary, kTop * much_min_)});
  } else {
    missed = std::max(missed, under(x.monetary, kTop * much_min_));
  }
  return missed;
}

PlainName ClusterNameConditions::description(std::size_t cluster) const {
  const Figures& x = clusters_[cluster];
  return {.recency = is_recent(cluster) ? RecencyWord::kRecent : RecencyWord::kSilent,
          .purchases = x.frequency < kOftenMin           ? PurchasesWord::kOne
                       : x.frequency < kTop * often_min_ ? PurchasesWord::kRepeat
                                                         : PurchasesWord::kMany,
          .spend = x.monetary < much_min_          ? SpendWord::kLow
                   : x.monetary < kTop * much_min_ ? SpendWord::kHigh
                                                   : SpendWord::kTop};
}

FeatureVector population_mean(std::span<const FeatureVector> centroids,
                              std::span<const std::int64_t> member_counts) {
  FeatureVector mean{};
  double members = 0;
  for (std::size_t id = 0; id < centroids.size(); ++id) {
    const auto count = static_cast<double>(member_counts[id]);
    members += count;
    for (std::size_t f = 0; f < kFeatureCount; ++f) mean[f] += count * centroids[id][f];
  }
  for (double& x : mean) x /= members;
  return mean;
}

std::vector<ClusterNameCode> name_clusters(const ClusterNameConditions& conditions,
                                           std::span<const ClusterNameCode> current) {
  std::vector<std::optional<ClusterNameCode>> names(conditions.cluster_count());
  for (std::size_t id = 0; id < current.size(); ++id) {
    const std::optional<ClusterNameCode> name = current[id];
    if (conditions.missed_by(*name, id) > kClusterNameTolerance) continue;
    const int number = plain_name(*name).value_or(PlainName{}).number;
    const bool is_own = number == 0 || number == static_cast<int>(id) + 1;
    if (is_own && std::ranges::count(names, name) == 0) names[id] = name;
  }
  give_free_names(conditions, names);

  for (std::size_t id = 0; id < names.size(); ++id) {
    if (names[id]) continue;
    PlainName plain = conditions.description(id);
    if (std::ranges::count(names, std::optional(plain_name_code(plain))) > 0)
      plain.number = static_cast<int>(id) + 1;
    names[id] = plain_name_code(plain);
  }
  std::vector<ClusterNameCode> result;
  result.reserve(names.size());
  for (const std::optional<ClusterNameCode>& name : names) result.push_back(*name);
  return result;
}

SegmentInfo plain_cluster_segment(ClusterNameCode code) {
  constexpr std::array<std::string_view, 2> kRecencyPhrases = {"Bought recently",
                                                               "Silent for longer"};
  constexpr std::array<std::string_view, 3> kPurchasesPhrases = {
      "mostly one purchase", "more than one purchase", "many purchases"};
  constexpr std::array<std::string_view, 3> kSpendPhrases = {
      "spend below the average customer's", "spend above the average customer's",
      "spend far above the average customer's"};
  SegmentInfo info;
  const std::optional<PlainName> plain = plain_name(code);
  if (!plain) return info;
  info.name = cluster_name(code);
  info.rank = cluster_rank(code);
  info.description = kRecencyPhrases[static_cast<std::size_t>(plain->recency)];
  info.description += ", ";
  info.description += kPurchasesPhrases[static_cast<std::size_t>(plain->purchases)];
  info.description += ", ";
  info.description += kSpendPhrases[static_cast<std::size_t>(plain->spend)];
  info.description += '.';
  return info;
}

int cluster_rank(ClusterNameCode code) {
  constexpr std::array<int, kNamedClusterCount> kNamed = {50, 40, 30, 20, 10};
  constexpr std::array<int, 3> kBySpend = {15, 35, 45};
  if (code < kNamedClusterCount) return kNamed[code];
  const std::optional<PlainName> plain = plain_name(code);
  return plain ? kBySpend[static_cast<std::size_t>(plain->spend)] : 0;
}

}  // namespace rfm
