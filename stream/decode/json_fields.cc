#include "stream/decode/json_fields.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "stream/decode/json_number.h"
#include "stream/decode/json_shape.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr int kDepthMax = 64;
// Of the records that are not like the last ones, one in so many sets the shape: learning has a
// cost, and an input may have no shape.
constexpr std::uint32_t kLearnInterval = 16;

constexpr bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// simdjson leaves what is not asked for unread, so this is looked at here. `text`: what is between
// the quotes.
bool has_valid_escapes(std::string_view text) {
  for (std::size_t i = text.find('\\'); i != std::string_view::npos; i = text.find('\\', i)) {
    const char code = ++i < text.size() ? text[i] : '\0';
    if (code == '\0' || std::strchr("\"\\/bfnrtu", code) == nullptr) return false;
    if (++i, code != 'u') continue;
    if (text.substr(i, 4).find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos ||
        text.size() - i < 4)
      return false;
    i += 4;
  }
  return true;
}

}  // namespace

// simdjson finds where things begin, checks UTF-8 and brackets and resolves escapes; what it does
// not look at unless it is asked (numbers, words and escapes in members that nobody uses) is
// checked here, so that a broken record is malformed wherever it is broken.
class JsonFields::Implementation {
 public:
  explicit Implementation(FieldTree tree) : tree_(std::move(tree)), fields_(tree_.slot_count) {}

  std::optional<std::string> read(std::string_view json, OnLine on_line) {
    if (!std::exchange(has_shape_, true)) fields_.clear();
    refunded_.clear();
    if (shape_.read(json, fields_)) {
      choose(tree_.chosen);
      return std::nullopt;
    }
    fields_.clear();
    has_shape_ = false;
    on_line_ = &on_line;
    if (!read_document(json)) return std::move(problem_);
    choose(tree_.chosen);
    if (!tree_.has_refunded && unlike_++ % kLearnInterval == 0) {
      shape_.learn(json, tree_.record);
      has_shape_ = true;
    }
    return std::nullopt;
  }

  const RecordFields& fields() const { return fields_; }
  std::span<const FieldText> refunded() const { return refunded_; }

 private:
  void choose(const std::vector<ChosenField>& fields) {
    for (const ChosenField& chosen : fields) {
      FieldText& field = fields_[chosen.field];
      field = {};
      if (chosen.constant) field = {*chosen.constant, FieldForm::kString};
      for (const Slot slot : chosen.slots) {
        if (!fields_.at(slot).holds_something()) continue;
        field = fields_.at(slot);
        break;
      }
    }
  }

  bool read_document(std::string_view json) {
    if (padded_.size() < json.size() + simdjson::SIMDJSON_PADDING)
      padded_.resize(2 * json.size() + simdjson::SIMDJSON_PADDING);
    json.copy(padded_.data(), json.size());
    end_ = padded_.data() + json.size();
    // simdjson looks at what is there when a record ends too early.
    std::memset(padded_.data() + json.size(), 0, simdjson::SIMDJSON_PADDING);
    const char* first = padded_.data();
    while (first != end_ && is_space(*first)) ++first;
    ondemand::document document;
    if (const auto error =
            parser_.iterate(padded_.data(), json.size(), padded_.size()).get(document))
      return refuse(error);
    if (*first != '{') return refuse("the record is not a JSON object");
    ondemand::object object;
    if (const auto error = document.get_object().get(object)) return refuse(error);
    if (!walk_object(object, tree_.record, kDepthMax)) return false;
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS ||
           refuse("something follows the JSON object");
  }

  // Members that `node` does not know are checked, no more.
  bool walk_object(ondemand::object& object, const FieldNode& node, int depth) {
    if (depth == 0) return refuse("nested too deeply");
    std::uint64_t seen = 0;
    std::size_t expected = 0;  // Index of the child that the next member probably is.
    for (auto next : object) {
      ondemand::field member;
      if (const auto error = std::move(next).get(member)) return refuse(error);
      const std::size_t index = find(member.key().raw(), node, expected);
      ondemand::value value = member.value();
      if (index == node.children.size()) {
        if (!check_key(member.key().raw()) || !read_value(value, nothing_, depth - 1)) return false;
        continue;
      }
      expected = index + 1;
      const FieldNode& child = node.children[index];
      const std::uint64_t bit = std::uint64_t{1} << index;
      const bool is_used = child.slot || !child.children.empty();
      if (is_used && (seen & bit) != 0)
        return refuse(fmt::format("the member \"{}\" appears twice", child.key));
      seen |= bit;
      if (!read_value(value, child, depth - 1)) return false;
    }
    return true;
  }

  // The child whose key begins at `next`, children.size() if none does. Keys hold no quotes and no
  // escapes.
  std::size_t find(const char* next, const FieldNode& node, std::size_t expected) const {
    const std::vector<FieldNode>& children = node.children;
    const auto room = static_cast<std::size_t>(end_ - next);
    const auto matches = [next, room](const std::string& key) {
      return key.size() < room && next[key.size()] == '"' &&
             std::memcmp(next, key.data(), key.size()) == 0;
    };
    if (expected < children.size() && matches(children[expected].key)) return expected;
    std::size_t index = 0;
    while (index < children.size() && !matches(children[index].key)) ++index;
    return index;
  }

  // A key that closes, which is certain.
  bool check_key(const char* first) {
    const char* last = first;
    while (*last != '"') last += *last == '\\' ? 2 : 1;
    const std::string_view key(first, static_cast<std::size_t>(last - first));
    return has_valid_escapes(key) || refuse_at(first);
  }

  bool read_value(ondemand::value& value, const FieldNode& node, int depth) {
    ondemand::json_type type{};
    if (const auto error = value.type().get(type)) return refuse(error);
    if (type == ondemand::json_type::object) {
      ondemand::object object;
      if (const auto error = value.get_object().get(object)) return refuse(error);
      if (node.slot) fields_.at(*node.slot) = {"{", FieldForm::kObject};
      return walk_object(object, node, depth);
    }
    if (type == ondemand::json_type::array) {
      ondemand::array array;
      if (const auto error = value.get_array().get(array)) return refuse(error);
      if (node.slot) fields_.at(*node.slot) = {"[", FieldForm::kArray};
      return node.slot == slot_of(Field::kLines) ? walk_lines(array, depth)
                                                 : walk_array(array, node, depth);
    }
    FieldText text;
    if (!read_scalar(value, node.slot.has_value(), text)) return false;
    if (node.slot == slot_of(Field::kRefunded)) {
      refunded_.push_back(text);
    } else if (node.slot) {
      fields_.at(*node.slot) = text;
    }
    return true;
  }

  // The children of `node` are numbers of elements, or "*".
  bool walk_array(ondemand::array& array, const FieldNode& node, int depth) {
    if (depth == 0) return refuse("nested too deeply");
    std::size_t index = 0;
    for (auto next : array) {
      ondemand::value value;
      if (const auto error = std::move(next).get(value)) return refuse(error);
      if (!read_value(value, find_element(node, index++), depth - 1)) return false;
    }
    return true;
  }

  const FieldNode& find_element(const FieldNode& node, std::size_t index) const {
    if (node.children.empty()) return nothing_;
    const std::string number = std::to_string(index);
    const FieldNode* every = &nothing_;
    for (const FieldNode& child : node.children) {
      if (child.key == number) return child;
      if (child.key == "*") every = &child;
    }
    return *every;
  }

  bool walk_lines(ondemand::array& array, int depth) {
    for (auto next : array) {
      ondemand::value value;
      ondemand::json_type type{};
      ondemand::object object;
      if (const auto error = std::move(next).get(value)) return refuse(error);
      if (const auto error = value.type().get(type)) return refuse(error);
      if (type != ondemand::json_type::object)
        return refuse("an element of the lines is not an object");
      if (const auto error = value.get_object().get(object)) return refuse(error);
      for (const Slot slot : tree_.line_slots) fields_.at(slot) = {};
      if (!walk_object(object, tree_.line, depth - 1)) return false;
      choose(tree_.chosen_in_line);
      (*on_line_)(fields_);
    }
    return true;
  }

  // A string, a number or a word; the string unescaped if `is_used`.
  bool read_scalar(ondemand::value& value, bool is_used, FieldText& text) {
    std::string_view token = value.raw_json_token();
    while (!token.empty() && is_space(token.back())) token.remove_suffix(1);
    if (token.empty()) return refuse("not JSON: it ends too early");
    if (token.front() != '"') {
      text = {token, form_of(token)};
      return text.form != FieldForm::kAbsent || refuse_at(token.data());
    }
    if (token.size() < 2 || token.back() != '"') return refuse_at(token.data());
    text = {token.substr(1, token.size() - 2), FieldForm::kString};
    const bool has_escapes = text.text.find('\\') != std::string_view::npos;
    if (has_escapes && !has_valid_escapes(text.text)) return refuse_at(token.data());
    if (has_escapes && is_used) {
      return !value.get_string().get(text.text) || refuse("a string has half of a surrogate pair");
    }
    // Left unread, a string before a colon would pass for a key.
    const auto error = value.get_raw_json_string().error();
    return !error || refuse(error);
  }

  // kAbsent: neither a number nor a word.
  static FieldForm form_of(std::string_view token) {
    if (token == "null") return FieldForm::kNull;
    if (token == "true") return FieldForm::kTrue;
    if (token == "false") return FieldForm::kFalse;
    const char* const end = token.data() + token.size();
    return skip_json_number(token.data(), end) == end ? FieldForm::kNumber : FieldForm::kAbsent;
  }

  bool refuse(std::string_view problem) {
    problem_ = problem;
    return false;
  }
  bool refuse_at(const char* next) {
    return refuse(
        fmt::format("not JSON from {} on", shown({next, static_cast<std::size_t>(end_ - next)})));
  }
  bool refuse(simdjson::error_code error) {
    switch (error) {
      case simdjson::UTF8_ERROR:
        return refuse("not UTF-8");
      case simdjson::EMPTY:
        return refuse("the record is not a JSON object");
      case simdjson::UNCLOSED_STRING:
        return refuse("a string is not closed");
      case simdjson::UNESCAPED_CHARS:
        return refuse("a control character in a string is not escaped");
      default:
        return refuse("not JSON: a bracket, a comma or a colon is not where it must be");
    }
  }

  const FieldTree tree_;
  const FieldNode nothing_;
  std::vector<char> padded_;   // The record that is being read, with what simdjson reads beyond.
  const char* end_ = nullptr;  // Of the record.
  RecordFields fields_;
  std::vector<FieldText> refunded_;
  JsonShape shape_;            // Of an earlier record.
  bool has_shape_ = false;     // No field outside of the shape is in `fields_`.
  std::uint32_t unlike_ = 0;   // Records that did not have the shape.
  OnLine* on_line_ = nullptr;  // Of the current call.
  std::string problem_;
  ondemand::parser parser_;
};

JsonFields::JsonFields(FieldTree tree)
    : implementation_(std::make_unique<Implementation>(std::move(tree))) {}
JsonFields::~JsonFields() = default;

std::optional<std::string> JsonFields::read(std::string_view json, OnLine on_line) {
  return implementation_->read(json, on_line);
}

const RecordFields& JsonFields::fields() const { return implementation_->fields(); }
std::span<const FieldText> JsonFields::refunded() const { return implementation_->refunded(); }

}  // namespace rfm
