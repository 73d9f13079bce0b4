#include "stream/decode/field_tree.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace rfm {
namespace {

constexpr std::size_t kChildrenMax = 64;  // A walk marks the members it has seen in 64 bits.
constexpr std::size_t kSlotsMax = 96;

// A member of a format: where it is unless the mapping says otherwise.
struct Member {
  std::string_view name;  // Empty: nowhere.
  Field field{};
  std::string FieldPointers::*source = nullptr;
};

constexpr std::array<Member, 10> kLineMembers = {{
    {"event_id", Field::kEventId, &FieldPointers::event_id},
    {"InvoiceNo", Field::kInvoiceNo, &FieldPointers::invoice_no},
    {"StockCode", Field::kStockCode, &FieldPointers::stock_code},
    {"Description", Field::kDescription, &FieldPointers::description},
    {"Quantity", Field::kQuantity, &FieldPointers::quantity},
    {"InvoiceDate", Field::kInvoiceTime, &FieldPointers::invoice_time},
    {"UnitPrice", Field::kUnitPrice, &FieldPointers::unit_price},
    {"CustomerID", Field::kCustomerId, &FieldPointers::customer_id},
    {"Country", Field::kCountry, &FieldPointers::country},
    {"currency", Field::kCurrency, &FieldPointers::currency},
}};

constexpr std::array<Member, 15> kInvoiceMembers = {{
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
    {"", Field::kCreditNo, &FieldPointers::credit_no},
    {"", Field::kNetTotal, &FieldPointers::net_total},
    {"", Field::kRefunded, &FieldPointers::refunded},
}};

constexpr std::array<Member, 4> kInvoiceLineMembers = {{
    {"stock_code", Field::kStockCode, &FieldPointers::stock_code},
    {"description", Field::kDescription, &FieldPointers::description},
    {"quantity", Field::kQuantity, &FieldPointers::quantity},
    {"unit_price", Field::kUnitPrice, &FieldPointers::unit_price},
}};

absl::Status refused(std::string_view pointer, std::string_view why) {
  return absl::InvalidArgumentError(fmt::format("\"{}\" {}", pointer, why));
}

// The node that `keys` lead to, made if it is not there; nullptr: an object is full.
FieldNode* reach(FieldNode& root, std::span<const std::string> keys) {
  FieldNode* node = &root;
  for (const std::string& key : keys) {
    const auto known = std::ranges::find(node->children, key, &FieldNode::key);
    if (known != node->children.end()) {
      node = &*known;
      continue;
    }
    if (node->children.size() == kChildrenMax) return nullptr;
    node = &node->children.emplace_back();
    node->key = key;
  }
  return node;
}

class TreeMaker {
 public:
  explicit TreeMaker(const DecoderOptions& options) : options_(options) {}

  absl::StatusOr<FieldTree> make() {
    absl::Status status;
    if (options_.format == InputFormat::kInvoices) {
      status = add(kInvoiceLineMembers, tree_.line, tree_.chosen_in_line);
      if (!status.ok()) return status;
      collect_slots(tree_.line, tree_.line_slots);
      for (const ChosenField& chosen : tree_.chosen_in_line)
        tree_.line_slots.push_back(slot_of(chosen.field));
      status = add(kInvoiceMembers, tree_.record, tree_.chosen);
    } else {
      status = add(kLineMembers, tree_.record, tree_.chosen);
    }
    if (!status.ok()) return status;
    if (status = add_types(); !status.ok()) return status;
    if (status = check_lines(tree_.record); !status.ok()) return status;
    return std::move(tree_);
  }

 private:
  absl::Status add(std::span<const Member> members, FieldNode& root,
                   std::vector<ChosenField>& chosen) {
    for (const Member& member : members) {
      const std::string& text = options_.fields.*member.source;
      tree_.labels[slot_of(member.field)] = text.empty() ? std::string(member.name) : text;
      absl::StatusOr<FieldSource> source = parse_field_source(text);
      if (!source.ok()) return source.status();
      if (text.empty() && !member.name.empty())
        source->pointers.push_back(fmt::format("/{}", member.name));
      if (absl::Status status = place(member.field, *source, root, chosen); !status.ok())
        return status;
    }
    return absl::OkStatus();
  }

  absl::Status place(Field field, const FieldSource& source, FieldNode& root,
                     std::vector<ChosenField>& chosen) {
    ChosenField choice{.field = field, .slots = {}, .constant = source.constant};
    const bool is_alone = source.pointers.size() == 1 && !source.constant;
    if ((field == Field::kLines || field == Field::kRefunded) && source.constant)
      return refused(*source.constant, "cannot stand for amounts");
    if (field == Field::kLines && source.pointers.size() > 1)
      return refused(source.pointers[1], "is a second place of the lines; only one is possible");
    for (const std::string& pointer : source.pointers) {
      const absl::StatusOr<std::vector<std::string>> keys = split_pointer(pointer);
      if (!keys.ok()) return keys.status();
      const bool is_sum = field == Field::kRefunded;
      if (!is_sum && std::ranges::find(*keys, "*") != keys->end())
        return refused(pointer, "has a *, which only input.fields.refunded may have");
      FieldNode* const node = reach(root, *keys);
      if (node == nullptr) return refused(pointer, "leads through an object of too many fields");
      if (is_sum && node->slot) return refused(pointer, "is the place of another field");
      if (is_sum || (is_alone && !node->slot)) {
        node->slot = slot_of(field);
        tree_.has_refunded |= is_sum;
        if (is_alone) return absl::OkStatus();
        continue;
      }
      absl::StatusOr<Slot> slot = slot_at(*node, pointer);
      if (!slot.ok()) return slot.status();
      choice.slots.push_back(*slot);
    }
    if (!choice.slots.empty() || choice.constant) chosen.push_back(std::move(choice));
    return absl::OkStatus();
  }

  // The node's slot, a new one if it has none.
  absl::StatusOr<Slot> slot_at(FieldNode& node, std::string_view pointer) {
    if (!node.slot) {
      if (tree_.slot_count == kSlotsMax) return refused(pointer, "is one place too many");
      node.slot = static_cast<Slot>(tree_.slot_count++);
    }
    if (*node.slot == slot_of(Field::kLines) || *node.slot == slot_of(Field::kRefunded))
      return refused(pointer, "is the place of lines or refunds");
    return *node.slot;
  }

  absl::Status add_types() {
    absl::StatusOr<std::vector<TypeRule>> rules = parse_type_rules(options_.types);
    if (!rules.ok()) return rules.status();
    if (!rules->empty() && options_.format != InputFormat::kInvoices)
      return absl::InvalidArgumentError("input.types needs input.format = \"invoices\"");
    for (TypeRule& rule : *rules) {
      PlacedTypeRule placed;
      if (rule.test != TypeRule::Test::kAlways) {
        const absl::StatusOr<std::vector<std::string>> keys = split_pointer(rule.pointer);
        if (!keys.ok()) return keys.status();
        FieldNode* const node = reach(tree_.record, *keys);
        if (node == nullptr)
          return refused(rule.pointer, "leads through an object of too many fields");
        const absl::StatusOr<Slot> slot = slot_at(*node, rule.pointer);
        if (!slot.ok()) return slot.status();
        placed.slot = *slot;
      }
      placed.rule = std::move(rule);
      tree_.types.push_back(std::move(placed));
    }
    return absl::OkStatus();
  }

  static void collect_slots(const FieldNode& node, std::vector<Slot>& slots) {
    if (node.slot) slots.push_back(*node.slot);
    for (const FieldNode& child : node.children) collect_slots(child, slots);
  }

  // Lines are walked as a whole.
  static absl::Status check_lines(const FieldNode& node) {
    if (node.slot == slot_of(Field::kLines) && !node.children.empty())
      return refused(node.key, "holds the lines, so no other field can be inside of it");
    for (const FieldNode& child : node.children) {
      if (absl::Status status = check_lines(child); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  const DecoderOptions& options_;
  FieldTree tree_;
};

}  // namespace

absl::StatusOr<FieldTree> make_field_tree(const DecoderOptions& options) {
  return TreeMaker(options).make();
}

}  // namespace rfm
