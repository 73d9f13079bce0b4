#include "stream/decode/field_tree.h"

#include <fmt/core.h>

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace rfm {
namespace {

constexpr std::size_t kKeyBytesMax = 128;
constexpr std::size_t kChildrenMax = 64;  // A walk marks the members it has seen in 64 bits.

// A member of a format: where it is unless a pointer says otherwise. Without a field: known, not
// used.
struct Member {
  std::string_view name;
  std::optional<Field> field;
  std::string FieldPointers::*pointer = nullptr;
};

constexpr std::array<Member, 10> kLineMembers = {{
    {"event_id", Field::kEventId, &FieldPointers::event_id},
    {"InvoiceNo", Field::kInvoiceNo, &FieldPointers::invoice_no},
    {"StockCode", std::nullopt},
    {"Description", std::nullopt},
    {"Quantity", Field::kQuantity, &FieldPointers::quantity},
    {"InvoiceDate", Field::kInvoiceTime, &FieldPointers::invoice_time},
    {"UnitPrice", Field::kUnitPrice, &FieldPointers::unit_price},
    {"CustomerID", Field::kCustomerId, &FieldPointers::customer_id},
    {"Country", Field::kCountry, &FieldPointers::country},
    {"currency", Field::kCurrency, &FieldPointers::currency},
}};

constexpr std::array<Member, 12> kInvoiceMembers = {{
    {"event_id", Field::kEventId, &FieldPointers::event_id},
    {"type", Field::kType, &FieldPointers::type},
    {"invoice_no", Field::kInvoiceNo, &FieldPointers::invoice_no},
    {"original_invoice_no", Field::kOriginalInvoiceNo, &FieldPointers::original_invoice_no},
    {"customer_id", Field::kCustomerId, &FieldPointers::customer_id},
    {"invoice_time", Field::kInvoiceTime, &FieldPointers::invoice_time},
    {"currency", Field::kCurrency, &FieldPointers::currency},
    {"country", Field::kCountry, &FieldPointers::country},
    {"lines", Field::kLines, &FieldPointers::lines},
    {"total", Field::kTotal, &FieldPointers::total},
    {"revision", Field::kRevision, &FieldPointers::revision},
    {"consent", Field::kConsent, &FieldPointers::consent},
}};

constexpr std::array<Member, 4> kInvoiceLineMembers = {{
    {"stock_code", std::nullopt},
    {"description", std::nullopt},
    {"quantity", Field::kQuantity, &FieldPointers::quantity},
    {"unit_price", Field::kUnitPrice, &FieldPointers::unit_price},
}};

absl::StatusOr<std::vector<std::string>> split_pointer(std::string_view pointer) {
  const auto refused = [pointer](std::string_view why) {
    return absl::InvalidArgumentError(
        fmt::format("\"{}\" {}; write it like \"/order/id\"", pointer, why));
  };
  if (pointer.empty() || pointer.front() != '/') return refused("is not a JSON pointer");
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      keys.emplace_back();
    } else if (pointer[i] == '~') {
      const char code = ++i < pointer.size() ? pointer[i] : '\0';
      if (code != '0' && code != '1') return refused("has a ~ that is neither ~0 nor ~1");
      keys.back() += code == '0' ? '~' : '/';
    } else if (pointer[i] == '"' || pointer[i] == '\\' ||
               static_cast<unsigned char>(pointer[i]) < ' ') {
      return refused("has a character that JSON writes escaped");
    } else {
      keys.back() += pointer[i];
    }
    if (keys.back().size() > kKeyBytesMax) return refused("has a key of more than 128 bytes");
  }
  return keys;
}

// False when the place is taken or the object is full.
bool insert(FieldNode& root, std::span<const std::string> keys, std::optional<Field> field) {
  FieldNode* node = &root;
  for (const std::string& key : keys) {
    if (node->field) return false;
    FieldNode* next = nullptr;
    for (FieldNode& child : node->children) {
      if (child.key == key) next = &child;
    }
    if (next == nullptr) {
      if (node->children.size() == kChildrenMax) return false;
      next = &node->children.emplace_back();
      next->key = key;
    }
    node = next;
  }
  if (node->field || !node->children.empty()) return false;
  node->field = field;
  return true;
}

absl::StatusOr<FieldNode> make_tree(std::span<const Member> members,
                                    const FieldPointers& pointers) {
  FieldNode root;
  for (const Member& member : members) {
    const std::string pointer = member.pointer == nullptr ? "" : pointers.*member.pointer;
    std::vector<std::string> keys = {std::string(member.name)};
    if (!pointer.empty()) {
      absl::StatusOr<std::vector<std::string>> split = split_pointer(pointer);
      if (!split.ok()) return split.status();
      keys = *std::move(split);
    }
    // A member that is not used makes room for one that is.
    if (!insert(root, keys, member.field) && member.field) {
      return absl::InvalidArgumentError(
          fmt::format("\"{}\" is, contains or is inside of the place of another field",
                      pointer.empty() ? fmt::format("/{}", member.name) : pointer));
    }
  }
  return root;
}

void put_labels(std::span<const Member> members, const FieldPointers& pointers, FieldTree& tree) {
  for (const Member& member : members) {
    if (!member.field) continue;
    const std::string& pointer = pointers.*member.pointer;
    tree.labels[static_cast<std::size_t>(*member.field)] =
        pointer.empty() ? std::string(member.name) : pointer;
  }
}

}  // namespace

absl::StatusOr<FieldTree> make_field_tree(InputFormat format, const FieldPointers& pointers) {
  FieldTree tree;
  if (format == InputFormat::kInvoices) {
    absl::StatusOr<FieldNode> line = make_tree(kInvoiceLineMembers, pointers);
    if (!line.ok()) return line.status();
    tree.line = *std::move(line);
    put_labels(kInvoiceLineMembers, pointers, tree);
  }
  const std::span<const Member> members =
      format == InputFormat::kInvoices ? std::span<const Member>(kInvoiceMembers) : kLineMembers;
  absl::StatusOr<FieldNode> record = make_tree(members, pointers);
  if (!record.ok()) return record.status();
  tree.record = *std::move(record);
  put_labels(members, pointers, tree);
  return tree;
}

}  // namespace rfm
