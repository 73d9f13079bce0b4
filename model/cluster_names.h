// What clusters are called. A name is a stated condition on a centroid relative to the population,
// checked at every fit: it stays with its cluster while it is nearly met and moves when it is not.
//
// With g = exp(mean of log1p) - 1 of the population, and of a centroid likewise:
//   recent: R <= min(gR, 90 days); often: F >= max(gF, 1.5); much: M >= gM.
//   Champions: recent, often, M >= 2.5 gM, and none that is recent and often has more M.
//   Loyal: recent, often, much. Occasional: recent, not both often and much.
//   Dormant high-value: not recent, much. Hibernating: not recent, not much.
// The richest (M) of those that meet one bears the name. The others are described plainly: "Silent,
// one purchase, low spend", with " (3)" for the third cluster where another one is called so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/model_version.h"
#include "model/segmentation_spec.h"

namespace rfm {

// A name as it is stored. From the five names the codes go on to the plain descriptions; each has
// one for ever.
using ClusterNameCode = std::uint16_t;

enum NamedCluster : ClusterNameCode {
  kChampions = 0,
  kLoyal = 1,
  kOccasional = 2,
  kDormantHighValue = 3,
  kHibernating = 4,
};
inline constexpr std::size_t kNamedClusterCount = 5;

// The words of a plain description. They ascend with R, F, M. Silent is not recent; one purchase is
// F < 1.5 and many are 2.5 max(gF, 1.5) or more; low spend is not much and top spend 2.5 gM or
// more.
enum class RecencyWord : std::uint8_t { kRecent, kSilent };
enum class PurchasesWord : std::uint8_t { kOne, kRepeat, kMany };
enum class SpendWord : std::uint8_t { kLow, kHigh, kTop };

struct PlainName {
  RecencyWord recency{};
  PurchasesWord purchases{};
  SpendWord spend{};
  int number = 0;  // The cluster's, from 1; 0: no other one is called so.

  friend bool operator==(const PlainName&, const PlainName&) = default;
};

ClusterNameCode plain_name_code(const PlainName& name);
// Absent: one of the five names, or no name's code.
std::optional<PlainName> plain_name(ClusterNameCode code);

// All codes there are are below this; some below it are no name's.
inline constexpr ClusterNameCode kClusterNameCodesEnd = 16 + 18 * (kClustersMax + 1);

// Empty if it is no name's code.
std::string_view cluster_name(ClusterNameCode code);
std::optional<ClusterNameCode> find_cluster_name(std::string_view text);

// Of a plain description: ranked by its spend, without an action. Empty for any other code.
SegmentInfo plain_cluster_segment(ClusterNameCode code);
// Of any name.
int cluster_rank(ClusterNameCode code);

// Mean of the centroids, weighted by their members: of log1p of R, F, M over all customers.
FeatureVector population_mean(std::span<const FeatureVector> centroids,
                              std::span<const std::int64_t> member_counts);

// The conditions, for the centroids (means of log1p of R, F, M) of one model.
class ClusterNameConditions {
 public:
  // `population`: mean of log1p of R, F, M over all customers.
  ClusterNameConditions(std::span<const FeatureVector> centroids, const FeatureVector& population);

  bool meets(ClusterNameCode name, std::size_t cluster) const;
  // By which factor the worst figure misses its limit; 1: none does.
  double missed_by(ClusterNameCode name, std::size_t cluster) const;
  // The plain description that the cluster meets, without a number.
  PlainName description(std::size_t cluster) const;
  double monetary(std::size_t cluster) const { return clusters_[cluster].monetary; }
  std::size_t cluster_count() const { return clusters_.size(); }

 private:
  struct Figures {
    double recency_days = 0;
    double frequency = 0;
    double monetary = 0;
  };

  static Figures figures_of(const FeatureVector& mean);
  bool is_recent(std::size_t cluster) const;
  bool is_often(std::size_t cluster) const;
  double champions_monetary_min(std::size_t cluster) const;
  double plain_missed_by(const PlainName& name, const Figures& figures) const;

  std::vector<Figures> clusters_;
  double recent_days_max_ = 0;
  double often_min_ = 0;
  double much_min_ = 0;
};

// A name that its cluster misses by more than this factor is given up.
inline constexpr double kClusterNameTolerance = 1.25;

// The names after a fit, one per cluster id. `current`: those before it (empty at a first fit; what
// is no name is given up). Names that no cluster bears any more, in the order above, go to the
// richest that meets them and has none, a plain one or, for Champions, Loyal; of equals to the
// least id.
std::vector<ClusterNameCode> name_clusters(const ClusterNameConditions& conditions,
                                           std::span<const ClusterNameCode> current);

}  // namespace rfm
