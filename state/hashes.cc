#include "state/hashes.h"

#include <xxhash.h>

#include <algorithm>
#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace rfm {
namespace {

// Seeds are the domains: equal bytes of two kinds do not collide.
enum Domain : XXH64_hash_t {
  kCustomer = 0xC057,
  kInvoice = 0x1470,
  kEventId = 0xE1D0,
  kCountry = 0xC014,
  kHoldout = 0x401D,
  kBirth = 0xB127,
  kTransition = 0x725A,
  kRecord = 0x4EC0,
};

std::uint64_t hash(Domain domain, std::string_view bytes) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), domain);
}

void append_le64(std::string& out, std::uint64_t value) {
  std::array<char, 8> bytes{};
  for (char& byte : bytes) {
    byte = static_cast<char>(value & 0xff);
    value >>= 8;
  }
  out.append(bytes.data(), bytes.size());
}

}  // namespace

std::uint64_t customer_hash(std::string_view customer_id) { return hash(kCustomer, customer_id); }
std::uint64_t invoice_hash(std::string_view invoice_no) { return hash(kInvoice, invoice_no); }
std::uint64_t event_id_hash(std::string_view event_id) { return hash(kEventId, event_id); }
std::uint16_t country_bits(std::string_view country) {
  if (country.empty()) return 0;
  return std::max<std::uint16_t>(static_cast<std::uint16_t>(hash(kCountry, country) & 0xfff), 1);
}

std::uint64_t text_hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

std::uint64_t record_hash(std::string_view bytes) {
  return std::max<std::uint64_t>(hash(kRecord, bytes), 1);
}

double holdout_position(std::string_view customer_id) {
  return static_cast<double>(hash(kHoldout, customer_id) >> 11) * 0x1p-53;
}

std::uint64_t birth_hash(std::uint64_t first_invoice_hash, EventTime first_invoice_time) {
  std::string bytes;
  append_le64(bytes, first_invoice_hash);
  append_le64(bytes, static_cast<std::uint64_t>(to_ms(first_invoice_time)));
  const std::uint64_t birth = hash(kBirth, bytes);
  return birth == 0 ? 1 : birth;
}

std::string transition_id(std::string_view key, std::string_view value) {
  std::string bytes;
  bytes.reserve(8 + key.size() + value.size());
  append_le64(bytes, key.size());
  bytes.append(key);
  bytes.append(value);
  const XXH128_hash_t digest = XXH3_128bits_withSeed(bytes.data(), bytes.size(), kTransition);
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, digest);
  return absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest)));
}

}  // namespace rfm
