// Where the fields are in a JSON record: the JSON pointers of all fields as one tree, so that a
// record is walked once.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "stream/decode/decoder_options.h"
#include "stream/decode/record_fields.h"

namespace rfm {

// A member of an object (or, by its number, of an array) that holds a field or leads to some.
// Children come in the order in which a producer is expected to write them.
struct FieldNode {
  std::string key;             // As written in the record, between the quotes.
  std::optional<Field> field;  // Absent: an inner node, or a member that is known and not used.
  std::vector<FieldNode> children;
};

struct FieldTree {
  FieldNode record;
  FieldNode line;                               // Of each element of `lines`; kInvoices only.
  std::array<std::string, kFieldCount> labels;  // What messages call a field.
};

// InvalidArgument naming a pointer that is none, that a key as written cannot match, or that hides
// another one.
absl::StatusOr<FieldTree> make_field_tree(InputFormat format, const FieldPointers& pointers);

}  // namespace rfm
