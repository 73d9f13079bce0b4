#include "stream/decode/json_fields.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "stream/decode/json_shape.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

constexpr int kDepthMax = 64;
// Of the records that are not like the last ones, one in so many sets the shape: learning has a
// cost, and an input may have no shape.
constexpr std::uint32_t kLearnInterval = 16;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
// Most characters are larger than a space, so that is looked at first.
constexpr bool is_space(char c) {
  return static_cast<unsigned char>(c) <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}
constexpr bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::uint64_t load_8(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

// Keys are short: two overlapping words at most, instead of a call.
bool equal_bytes(const char* a, const char* b, std::size_t count) {
  if (count > 16) return std::memcmp(a, b, count) == 0;
  if (count >= 8) return load_8(a) == load_8(b) && load_8(a + count - 8) == load_8(b + count - 8);
  for (std::size_t i = 0; i < count; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

// A bit in each of eight bytes that is a quote, a backslash or a control character; bytes after the
// first such one may have it wrongly.
std::uint64_t special_bytes(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kTops = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t bytes) { return (bytes - kOnes) & ~bytes & kTops; };
  const std::uint64_t control = (word - kOnes * 0x20) & ~word & kTops;
  return has_zero(word ^ (kOnes * '"')) | has_zero(word ^ (kOnes * '\\')) | control;
}

}  // namespace

// A recursive descent over the text (RFC 8259). simdjson's on-demand reader was measured at twice
// the cost for records this short, and does not check what it skips; it is used for UTF-8 and for
// strings with escapes.
//
// The functions take the place where something begins and return the place behind it, nullptr where
// it is not what it must be: the place stays in a register.
class JsonFields::Implementation {
 public:
  explicit Implementation(FieldTree tree) : tree_(std::move(tree)) {}

  std::optional<std::string> read(std::string_view json, OnLine on_line) {
    if (!std::exchange(has_shape_, true)) fields_.clear();
    if (shape_.read(json, fields_)) return std::nullopt;
    fields_.clear();
    has_shape_ = false;
    unescaped_.clear();
    unescaped_max_ = json.size();
    on_line_ = &on_line;
    end_ = json.data() + json.size();
    if (!is_utf8(json)) return "not UTF-8";
    if (!read_document(json.data())) return std::move(problem_);
    if (unlike_++ % kLearnInterval == 0) {
      shape_.learn(json, tree_.record);
      has_shape_ = true;
    }
    return std::nullopt;
  }

  const RecordFields& fields() const { return fields_; }

 private:
  struct StringEnd {
    const char* after = nullptr;  // Behind the closing quote; nullptr: the string is broken.
    bool has_escapes = false;
  };

  bool read_document(const char* next) {
    next = skip_space(next);
    if (!is_at(next, '{')) return refuse("the record is not a JSON object") != nullptr;
    next = walk_object(next, tree_.record, kDepthMax);
    if (next == nullptr) return false;
    return skip_space(next) == end_ || refuse("something follows the JSON object") != nullptr;
  }

  bool is_at(const char* next, char expected) const { return next != end_ && *next == expected; }

  const char* skip_space(const char* next) const {
    while (next != end_ && is_space(*next)) ++next;
    return next;
  }

  // Members that `node` does not know are checked, no more.
  const char* walk_object(const char* next, const FieldNode& node, int depth) {
    if (depth == 0) return refuse("nested too deeply");
    next = skip_space(next + 1);
    if (is_at(next, '}')) return next + 1;
    std::uint64_t seen = 0;
    std::size_t expected = 0;  // Index of the child that the next member probably is.
    for (;;) {
      if (!is_at(next, '"')) return refuse_at(next);
      ++next;
      const std::size_t index = find(next, node, expected);
      const bool is_known = index < node.children.size();
      next = is_known ? next + node.children[index].key.size() + 1 : skip_string(next).after;
      if (next == nullptr) return nullptr;
      next = skip_space(next);
      if (!is_at(next, ':')) return refuse_at(next);
      next = skip_space(next + 1);
      if (is_known) {
        expected = index + 1;
        const FieldNode& child = node.children[index];
        const std::uint64_t bit = std::uint64_t{1} << index;
        const bool is_used = child.field || !child.children.empty();
        if (is_used && (seen & bit) != 0)
          return refuse(fmt::format("the member \"{}\" appears twice", child.key));
        seen |= bit;
        next = read_value(next, child, depth - 1);
      } else {
        next = skip_value(next, depth - 1);
      }
      if (next == nullptr) return nullptr;
      next = skip_space(next);
      if (is_at(next, '}')) return next + 1;
      if (!is_at(next, ',')) return refuse_at(next);
      next = skip_space(next + 1);
    }
  }

  // The child whose key begins at `next`, children.size() if none does. Keys hold no quotes and no
  // escapes.
  std::size_t find(const char* next, const FieldNode& node, std::size_t expected) const {
    const std::vector<FieldNode>& children = node.children;
    const auto room = static_cast<std::size_t>(end_ - next);
    const auto matches = [next, room](const std::string& key) {
      return key.size() < room && next[key.size()] == '"' &&
             equal_bytes(next, key.data(), key.size());
    };
    if (expected < children.size() && matches(children[expected].key)) return expected;
    std::size_t index = 0;
    while (index < children.size() && !matches(children[index].key)) ++index;
    return index;
  }

  const char* read_value(const char* next, const FieldNode& node, int depth) {
    if (node.field) {
      FieldText& field = fields_[*node.field];
      if (*node.field == Field::kLines && is_at(next, '[')) {
        field.form = FieldForm::kArray;
        return walk_lines(next, depth);
      }
      return read_field(next, field, depth);
    }
    if (node.children.empty()) return skip_value(next, depth);
    if (is_at(next, '{')) return walk_object(next, node, depth);
    if (is_at(next, '[')) return walk_array(next, node, depth);
    return skip_value(next, depth);
  }

  // The children of `node` are numbers of elements.
  const char* walk_array(const char* next, const FieldNode& node, int depth) {
    if (depth == 0) return refuse("nested too deeply");
    next = skip_space(next + 1);
    if (is_at(next, ']')) return next + 1;
    for (std::size_t index = 0;; ++index) {
      const FieldNode* const child = find_element(node, index);
      next = child == nullptr ? skip_value(next, depth - 1) : read_value(next, *child, depth - 1);
      if (next == nullptr) return nullptr;
      next = skip_space(next);
      if (is_at(next, ']')) return next + 1;
      if (!is_at(next, ',')) return refuse_at(next);
      next = skip_space(next + 1);
    }
  }

  static const FieldNode* find_element(const FieldNode& node, std::size_t index) {
    if (node.children.empty()) return nullptr;
    const std::string number = std::to_string(index);
    for (const FieldNode& child : node.children) {
      if (child.key == number) return &child;
    }
    return nullptr;
  }

  const char* walk_lines(const char* next, int depth) {
    next = skip_space(next + 1);
    if (is_at(next, ']')) return next + 1;
    for (;;) {
      if (!is_at(next, '{')) return refuse("an element of the lines is not an object");
      fields_[Field::kQuantity] = {};
      fields_[Field::kUnitPrice] = {};
      next = walk_object(next, tree_.line, depth - 1);
      if (next == nullptr) return nullptr;
      (*on_line_)(fields_);
      next = skip_space(next);
      if (is_at(next, ']')) return next + 1;
      if (!is_at(next, ',')) return refuse_at(next);
      next = skip_space(next + 1);
    }
  }

  const char* read_field(const char* next, FieldText& field, int depth) {
    if (is_at(next, '"')) {
      const char* const first = next + 1;
      const StringEnd end = skip_string(first);
      if (end.after == nullptr) return nullptr;
      field = {{first, static_cast<std::size_t>(end.after - 1 - first)}, FieldForm::kString};
      return end.has_escapes && !unescape(field.text) ? nullptr : end.after;
    }
    const char* const after = skip_value(next, depth);
    if (after != nullptr) field = {{next, static_cast<std::size_t>(after - next)}, form_of(*next)};
    return after;
  }

  // Of a value that is no string and begins with `first`.
  static FieldForm form_of(char first) {
    switch (first) {
      case '{':
        return FieldForm::kObject;
      case '[':
        return FieldForm::kArray;
      case 't':
        return FieldForm::kTrue;
      case 'f':
        return FieldForm::kFalse;
      case 'n':
        return FieldForm::kNull;
      default:
        return FieldForm::kNumber;
    }
  }

  const char* skip_value(const char* next, int depth) {
    switch (next == end_ ? '\0' : *next) {
      case '"':
        return skip_string(next + 1).after;
      case '{':
        return walk_object(next, nothing_, depth);
      case '[':
        return walk_array(next, nothing_, depth);
      case 't':
        return skip_word(next, "true");
      case 'f':
        return skip_word(next, "false");
      case 'n':
        return skip_word(next, "null");
      default:
        return skip_number(next);
    }
  }

  const char* skip_word(const char* next, std::string_view word) {
    const std::string_view rest(next, static_cast<std::size_t>(end_ - next));
    return rest.substr(0, word.size()) == word ? next + word.size() : refuse_at(next);
  }

  // -?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?
  const char* skip_number(const char* next) {
    if (is_at(next, '-')) ++next;
    next = is_at(next, '0') ? next + 1 : skip_digits(next);
    if (next != nullptr && is_at(next, '.')) next = skip_digits(next + 1);
    if (next == nullptr || (!is_at(next, 'e') && !is_at(next, 'E'))) return next;
    ++next;
    if (is_at(next, '+') || is_at(next, '-')) ++next;
    return skip_digits(next);
  }

  // At least one.
  const char* skip_digits(const char* next) {
    const char* const first = next;
    while (next != end_ && is_digit(*next)) ++next;
    return next != first ? next : refuse_at(next);
  }

  // From behind the opening quote.
  StringEnd skip_string(const char* next) {
    bool has_escapes = false;
    for (;;) {
      next = skip_plain_bytes(next);
      if (next == end_) return {refuse("a string is not closed")};
      const char c = *next++;
      if (c == '"') return {next, has_escapes};
      if (static_cast<unsigned char>(c) < ' ')
        return {refuse("a control character in a string is not escaped")};
      if (c != '\\') continue;
      has_escapes = true;
      next = skip_escape(next);
      if (next == nullptr) return {};
    }
  }

  // To the next quote, backslash or control character, or a little less far.
  const char* skip_plain_bytes(const char* next) const {
    while (end_ - next >= 8) {
      const std::uint64_t special = special_bytes(load_8(next));
      if (special != 0) {
        return std::endian::native == std::endian::little ? next + std::countr_zero(special) / 8
                                                          : next;
      }
      next += 8;
    }
    return next;
  }

  // From behind the backslash.
  const char* skip_escape(const char* next) {
    if (next == end_ || *next == '\0' || std::strchr("\"\\/bfnrtu", *next) == nullptr)
      return refuse_at(next);
    if (*next++ != 'u') return next;
    for (int i = 0; i < 4; ++i, ++next) {
      if (next == end_ || !is_hex_digit(*next)) return refuse_at(next);
    }
    return next;
  }

  // Replaces `text`, which is what is between two quotes, by what it means.
  bool unescape(std::string_view& text) {
    // What is unescaped is never longer, so the views of earlier strings stay valid.
    unescaped_.reserve(unescaped_max_);
    padded_.assign(text.data() - 1, text.size() + 2);
    padded_.reserve(padded_.size() + simdjson::SIMDJSON_PADDING);
    simdjson::ondemand::document document;
    std::string_view meaning;
    if (parser_.iterate(padded_.data(), padded_.size(), padded_.capacity()).get(document) ||
        document.get_string().get(meaning)) {
      refuse("a string has half of a surrogate pair");
      return false;
    }
    const std::size_t offset = unescaped_.size();
    unescaped_.append(meaning);
    text = std::string_view(unescaped_).substr(offset);
    return true;
  }

  const char* refuse(std::string_view problem) {
    problem_ = problem;
    return nullptr;
  }
  const char* refuse_at(const char* next) {
    if (next == end_) return refuse("not JSON: it ends too early");
    return refuse(
        fmt::format("not JSON from {} on", shown({next, static_cast<std::size_t>(end_ - next)})));
  }

  const FieldTree tree_;
  const FieldNode nothing_;
  const char* end_ = nullptr;  // Of the record that is being read.
  RecordFields fields_;
  JsonShape shape_;            // Of an earlier record.
  bool has_shape_ = false;     // No field outside of the shape is in `fields_`.
  std::uint32_t unlike_ = 0;   // Records that did not have the shape.
  OnLine* on_line_ = nullptr;  // Of the current call.
  std::string problem_;
  std::string unescaped_;          // Strings of the record that have escapes.
  std::size_t unescaped_max_ = 0;  // Size of the record.
  std::string padded_;
  simdjson::ondemand::parser parser_;
};

JsonFields::JsonFields(FieldTree tree)
    : implementation_(std::make_unique<Implementation>(std::move(tree))) {}
JsonFields::~JsonFields() = default;

std::optional<std::string> JsonFields::read(std::string_view json, OnLine on_line) {
  return implementation_->read(json, on_line);
}

const RecordFields& JsonFields::fields() const { return implementation_->fields(); }

}  // namespace rfm
