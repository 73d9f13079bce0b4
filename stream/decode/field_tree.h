// Where the fields are in a JSON record: the JSON pointers of all fields as one tree, so that a
// record is walked once.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "stream/decode/decoder_options.h"
#include "stream/decode/mapping.h"
#include "stream/decode/record_fields.h"

namespace rfm {

// A member of an object (or, by its number, of an array) whose value is used or leads to some.
// Children come in the order in which a producer is expected to write them.
struct FieldNode {
  std::string key;           // As written in the record, between the quotes; "*": every element.
  std::optional<Slot> slot;  // Absent: an inner node, or a member that is known and not used.
  std::vector<FieldNode> children;
};

// A field that is somewhere else than in its own slot: the first of these that holds something,
// else the constant.
struct ChosenField {
  Field field{};
  std::vector<Slot> slots;
  std::optional<std::string> constant;
};

struct PlacedTypeRule {
  TypeRule rule;
  Slot slot = 0;  // What it looks at.
};

struct FieldTree {
  FieldNode record;
  FieldNode line;  // Of each element of `lines`; kInvoices only.
  std::size_t slot_count = kFieldCount;
  std::vector<ChosenField> chosen;
  std::vector<ChosenField> chosen_in_line;
  std::vector<Slot> line_slots;  // All that `line` leads to.
  std::vector<PlacedTypeRule> types;
  bool has_refunded = false;
  std::array<std::string, kFieldCount> labels;  // What messages call a field.
};

// InvalidArgument naming a pointer that is none, or that cannot be followed.
absl::StatusOr<FieldTree> make_field_tree(const DecoderOptions& options);

}  // namespace rfm
