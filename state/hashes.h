// Hashes that are stored or published: XXH3 (libxxhash), each kind with a seed of its own
// (docs/formats.md, "Hashes").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "state/event_time.h"

namespace rfm {

std::uint64_t customer_hash(std::string_view customer_id);
std::uint64_t invoice_hash(std::string_view invoice_no);
std::uint64_t event_id_hash(std::string_view event_id);
// 12 bits: only to tell a correction from a duplicate. 0 for no country, which so ranks below any.
std::uint16_t country_bits(std::string_view country);
// In memory only.
std::uint64_t text_hash(std::string_view text);
// Tells one input file from another by its first record. Never 0.
std::uint64_t record_hash(std::string_view bytes);
// Where a customer falls in [0, 1) for the hold-out group.
double holdout_position(std::string_view customer_id);
// The first invoice's number and time, so that a replay makes the same ids and an erased customer
// new ones. Never 0.
std::uint64_t birth_hash(std::uint64_t first_invoice_hash, EventTime first_invoice_time);
// Of a transition's key and value: equal ids mean equal bytes. 128 bits in base64url.
std::string transition_id(std::string_view key, std::string_view value);

}  // namespace rfm
