// Finds the fields of a JSON record.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "stream/decode/field_tree.h"
#include "stream/decode/record_fields.h"

namespace rfm {

// One belongs to one thread.
class JsonFields {
 public:
  // `fields` holds quantity and unit price of one element of `lines`.
  using OnLine = absl::FunctionRef<void(const RecordFields& fields)>;

  explicit JsonFields(FieldTree tree);
  ~JsonFields();

  // Finds the fields in `json` and calls `on_line` for each element of `lines`. Returns what is
  // wrong with the form of the record, or nothing.
  std::optional<std::string> read(std::string_view json, OnLine on_line);

  // Of the last record: views into it, or into this until the next one.
  const RecordFields& fields() const;
  std::span<const FieldText> refunded() const;  // All that Field::kRefunded has found.

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace rfm
