#include "stream/format/contribution_codec.h"

#include <fmt/core.h>

#include "absl/status/statusor.h"
#include "state/byte_codec.h"

namespace rfm {
namespace {

constexpr std::uint8_t kContributionCodecVersion = 1;

std::string encode_whole(const Contribution& contribution) {
  ByteWriter out;
  out.byte(kContributionCodecVersion);
  out.signed_varint(contribution.epoch);
  out.signed_varint(contribution.population);
  out.varint(contribution.clusters.size());
  for (const ClusterSums& cluster : contribution.clusters) {
    out.signed_varint(cluster.n);
    out.signed_varint(cluster.sum_f);
    out.signed_varint(cluster.sum_m);
    out.signed_varint(cluster.square_f);
    out.signed_varint(cluster.square_m);
    out.varint(cluster.last_purchase_days.size());
    for (const auto& [day, count] : cluster.last_purchase_days) {
      out.signed_varint(day);
      out.signed_varint(count);
    }
  }
  out.byte(contribution.has_sample ? 1 : 0);
  out.varint(contribution.sample.size());
  for (const SampleRow& row : contribution.sample) {
    out.fixed64(row.id_hash);
    out.signed_varint(row.first_purchase_ms);
    out.signed_varint(row.last_purchase_ms);
    out.signed_varint(row.monetary);
    out.varint(row.frequency);
  }
  return out.take();
}

absl::StatusOr<Contribution> decode_whole(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.byte();
  if (version > kContributionCodecVersion) {
    return absl::UnimplementedError(
        "a contribution was written by a newer version of this program: start that one");
  }
  Contribution contribution;
  contribution.epoch = in.signed_varint();
  contribution.population = in.signed_varint();
  const std::uint64_t clusters = in.varint();
  for (std::uint64_t c = 0; c < clusters && in.ok(); ++c) {
    ClusterSums sums;
    sums.n = in.signed_varint();
    sums.sum_f = in.signed_varint();
    sums.sum_m = in.signed_varint();
    sums.square_f = in.signed_varint();
    sums.square_m = in.signed_varint();
    const std::uint64_t days = in.varint();
    for (std::uint64_t d = 0; d < days && in.ok(); ++d) {
      const auto day = static_cast<std::int32_t>(in.signed_varint());
      sums.last_purchase_days[day] = in.signed_varint();
    }
    contribution.clusters.push_back(std::move(sums));
  }
  contribution.has_sample = in.byte() != 0;
  const std::uint64_t rows = in.varint();
  for (std::uint64_t r = 0; r < rows && in.ok(); ++r) {
    SampleRow row;
    row.id_hash = in.fixed64();
    row.first_purchase_ms = in.signed_varint();
    row.last_purchase_ms = in.signed_varint();
    row.monetary = in.signed_varint();
    row.frequency = static_cast<std::uint32_t>(in.varint());
    contribution.sample.push_back(row);
  }
  if (version == 0 || !in.ok() || !in.at_end())
    return absl::DataLossError("a contribution is damaged");
  return contribution;
}

}  // namespace

std::vector<ContributionChunk> encode_contribution(PartitionId partition,
                                                   const Contribution& contribution) {
  const std::string whole = encode_whole(contribution);
  const std::size_t count = (whole.size() + kContributionChunkBytes - 1) / kContributionChunkBytes;
  std::vector<ContributionChunk> chunks;
  for (std::size_t i = 0; i < count; ++i) {
    ByteWriter key;
    key.varint(static_cast<std::uint64_t>(partition));
    key.varint(static_cast<std::uint64_t>(contribution.epoch % kContributionEpochsKept));
    key.varint(i);
    ByteWriter value;
    value.byte(kContributionCodecVersion);
    value.signed_varint(contribution.epoch);
    value.varint(count);
    value.string(
        std::string_view(whole).substr(i * kContributionChunkBytes, kContributionChunkBytes));
    chunks.push_back({key.take(), value.take()});
  }
  return chunks;
}

absl::Status ContributionAssembler::add(std::string_view key, std::string_view value) {
  ByteReader key_in(key);
  const std::uint64_t partition = key_in.varint();
  const auto slot = static_cast<std::int64_t>(key_in.varint());
  const std::uint64_t chunk = key_in.varint();
  ByteReader in(value);
  const std::uint8_t version = in.byte();
  const std::int64_t epoch = in.signed_varint();
  const std::uint64_t count = in.varint();
  const std::string_view bytes = in.string();
  if (version != kContributionCodecVersion || !key_in.ok() || !in.ok()) {
    return absl::DataLossError(
        fmt::format("a contribution of partition {} is damaged or of a newer version", partition));
  }
  if (partition >= static_cast<std::uint64_t>(partition_count_) || chunk >= count) {
    return absl::DataLossError(
        fmt::format("a contribution of partition {} of {}, piece {} of {}: there is no such one",
                    partition, partition_count_, chunk, count));
  }
  Parts& parts = parts_[{static_cast<PartitionId>(partition), slot}];
  if (epoch < parts.epoch) return absl::OkStatus();
  if (epoch > parts.epoch) parts = {.epoch = epoch, .chunk_count = count, .chunks = {}};
  parts.chunk_count = count;
  parts.chunks.erase(parts.chunks.lower_bound(count), parts.chunks.end());
  parts.chunks.insert_or_assign(chunk, std::string(bytes));
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::pair<std::int64_t, PartitionId>, Contribution>>
ContributionAssembler::take() {
  std::map<std::pair<std::int64_t, PartitionId>, Contribution> result;
  for (const auto& [key, parts] : parts_) {
    const auto failed = [&, partition = key.first](std::string_view reason) {
      return absl::DataLossError(fmt::format("the contribution of partition {} for epoch {}: {}",
                                             partition, parts.epoch, reason));
    };
    std::string whole;
    for (const auto& [chunk, bytes] : parts.chunks) whole += bytes;
    if (parts.chunks.size() != parts.chunk_count) {
      return failed(fmt::format("only {} of its {} pieces are there", parts.chunks.size(),
                                parts.chunk_count));
    }
    absl::StatusOr<Contribution> contribution = decode_whole(whole);
    if (!contribution.ok()) return failed(std::string(contribution.status().message()));
    if (contribution->epoch != parts.epoch)
      return failed(fmt::format("it holds that for epoch {}", contribution->epoch));
    result.emplace(std::pair{parts.epoch, key.first}, *std::move(contribution));
  }
  parts_.clear();
  return result;
}

}  // namespace rfm
