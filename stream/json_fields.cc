#include "stream/json_fields.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "stream/utf8.h"

namespace rfm {
namespace {

constexpr int kDepthMax = 64;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
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

// A recursive descent over the text (RFC 8259). simdjson's on-demand reader was measured at three
// times the cost for records this short, and does not check what it skips; it is used for UTF-8 and
// for strings with escapes.
class JsonFields::Implementation {
 public:
  explicit Implementation(FieldTree tree) : tree_(std::move(tree)) {}

  std::optional<std::string> read(std::string_view json, OnLine on_line) {
    fields_.clear();
    unescaped_.clear();
    unescaped_max_ = json.size();
    on_line_ = &on_line;
    next_ = json.data();
    end_ = json.data() + json.size();
    if (!is_utf8(json)) return "not UTF-8";
    if (!read_document()) return std::move(problem_);
    return std::nullopt;
  }

  const RecordFields& fields() const { return fields_; }

 private:
  struct Text {
    std::string_view raw;  // Between the quotes.
    bool has_escapes = false;
  };

  bool read_document() {
    skip_space();
    if (peek() != '{') return refuse("the record is not a JSON object");
    if (!walk_object(tree_.record, kDepthMax)) return false;
    skip_space();
    return next_ == end_ || refuse("something follows the JSON object");
  }

  char peek() const { return next_ == end_ ? '\0' : *next_; }

  void skip_space() {
    while (next_ != end_ && is_space(*next_)) ++next_;
  }

  bool skip(char expected) {
    if (peek() != expected) return refuse_here();
    ++next_;
    return true;
  }

  // After an element: whether another one follows. `close` ends the list.
  bool another(char close, bool& follows) {
    skip_space();
    follows = peek() == ',';
    if (!follows) return skip(close);
    ++next_;
    skip_space();
    return true;
  }

  // From the opening brace to behind the closing one. Members that `node` does not know are
  // checked, no more.
  bool walk_object(const FieldNode& node, int depth) {
    if (depth == 0) return refuse("nested too deeply");
    ++next_;
    skip_space();
    if (peek() == '}') return skip('}');
    std::uint64_t seen = 0;
    std::size_t expected = 0;  // Index of the child that the next member probably is.
    for (bool follows = true; follows;) {
      if (!skip('"')) return false;
      const std::size_t index = find(node, expected);
      const bool known = index < node.children.size();
      Text key;
      if (known) {
        next_ += node.children[index].key.size() + 1;
      } else if (!skip_string(key)) {
        return false;
      }
      skip_space();
      if (!skip(':')) return false;
      skip_space();
      if (!known) {
        if (!skip_value(depth - 1)) return false;
      } else {
        expected = index + 1;
        const FieldNode& child = node.children[index];
        const std::uint64_t bit = std::uint64_t{1} << index;
        const bool is_used = child.field || !child.children.empty();
        if (is_used && (seen & bit) != 0)
          return refuse(fmt::format("the member \"{}\" appears twice", child.key));
        seen |= bit;
        if (!read_value(child, depth - 1)) return false;
      }
      if (!another('}', follows)) return false;
    }
    return true;
  }

  // The child whose key is next, children.size() if none is. Keys hold no quotes and no escapes.
  std::size_t find(const FieldNode& node, std::size_t expected) const {
    const std::vector<FieldNode>& children = node.children;
    const auto matches = [this](const std::string& key) {
      const auto room = static_cast<std::size_t>(end_ - next_);
      return key.size() < room && next_[key.size()] == '"' &&
             equal_bytes(next_, key.data(), key.size());
    };
    if (expected < children.size() && matches(children[expected].key)) return expected;
    std::size_t index = 0;
    while (index < children.size() && !matches(children[index].key)) ++index;
    return index;
  }

  bool read_value(const FieldNode& node, int depth) {
    if (node.field) {
      FieldText& field = fields_[*node.field];
      if (*node.field == Field::kLines && peek() == '[') {
        field.form = FieldForm::kArray;
        return walk_lines(depth);
      }
      return read_field(field, depth);
    }
    if (node.children.empty()) return skip_value(depth);
    if (peek() == '{') return walk_object(node, depth);
    if (peek() == '[') return walk_array(node, depth);
    return skip_value(depth);
  }

  // The children of `node` are numbers of elements.
  bool walk_array(const FieldNode& node, int depth) {
    if (depth == 0) return refuse("nested too deeply");
    ++next_;
    skip_space();
    if (peek() == ']') return skip(']');
    std::size_t index = 0;
    for (bool follows = true; follows; ++index) {
      const std::string number = std::to_string(index);
      const FieldNode* child = nullptr;
      for (const FieldNode& each : node.children) {
        if (each.key == number) child = &each;
      }
      if (child == nullptr ? !skip_value(depth - 1) : !read_value(*child, depth - 1)) return false;
      if (!another(']', follows)) return false;
    }
    return true;
  }

  bool walk_lines(int depth) {
    ++next_;
    skip_space();
    if (peek() == ']') return skip(']');
    for (bool follows = true; follows;) {
      if (peek() != '{') return refuse("an element of the lines is not an object");
      fields_[Field::kQuantity] = {};
      fields_[Field::kUnitPrice] = {};
      if (!walk_object(tree_.line, depth - 1)) return false;
      (*on_line_)(fields_);
      if (!another(']', follows)) return false;
    }
    return true;
  }

  bool read_field(FieldText& field, int depth) {
    const char* const first = next_;
    switch (peek()) {
      case '"': {
        ++next_;
        Text text;
        if (!skip_string(text)) return false;
        field = {text.raw, FieldForm::kString};
        return !text.has_escapes || unescape(field.text);
      }
      case '{':
        field.form = FieldForm::kObject;
        break;
      case '[':
        field.form = FieldForm::kArray;
        break;
      case 't':
        field.form = FieldForm::kTrue;
        break;
      case 'f':
        field.form = FieldForm::kFalse;
        break;
      case 'n':
        field.form = FieldForm::kNull;
        break;
      default:
        field.form = FieldForm::kNumber;
        break;
    }
    if (!skip_value(depth)) return false;
    field.text = {first, static_cast<std::size_t>(next_ - first)};
    return true;
  }

  bool skip_value(int depth) {
    switch (peek()) {
      case '"': {
        ++next_;
        Text text;
        return skip_string(text);
      }
      case '{':
        return walk_object(nothing_, depth);
      case '[':
        return walk_array(nothing_, depth);
      case 't':
        return skip_word("true");
      case 'f':
        return skip_word("false");
      case 'n':
        return skip_word("null");
      default:
        return skip_number();
    }
  }

  bool skip_word(std::string_view word) {
    if (std::string_view(next_, static_cast<std::size_t>(end_ - next_)).substr(0, word.size()) !=
        word) {
      return refuse_here();
    }
    next_ += word.size();
    return true;
  }

  // -?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?
  bool skip_number() {
    if (peek() == '-') ++next_;
    if (peek() == '0') {
      ++next_;
    } else if (!skip_digits()) {
      return false;
    }
    if (peek() == '.') {
      ++next_;
      if (!skip_digits()) return false;
    }
    if (peek() != 'e' && peek() != 'E') return true;
    ++next_;
    if (peek() == '+' || peek() == '-') ++next_;
    return skip_digits();
  }

  bool skip_digits() {
    const char* const first = next_;
    while (next_ != end_ && is_digit(*next_)) ++next_;
    return next_ != first || refuse_here();
  }

  // From behind the opening quote to behind the closing one.
  bool skip_string(Text& text) {
    const char* const first = next_;
    for (;;) {
      skip_plain_bytes();
      if (next_ == end_) return refuse("a string is not closed");
      const char c = *next_;
      if (c == '"') {
        text.raw = {first, static_cast<std::size_t>(next_ - first)};
        ++next_;
        return true;
      }
      if (static_cast<unsigned char>(c) < ' ')
        return refuse("a control character in a string is not escaped");
      ++next_;
      if (c != '\\') continue;
      text.has_escapes = true;
      if (!skip_escape()) return false;
    }
  }

  // To the next quote, backslash or control character, or a little less far.
  void skip_plain_bytes() {
    const char* next = next_;
    while (end_ - next >= 8) {
      const std::uint64_t special = special_bytes(load_8(next));
      if (special != 0) {
        if constexpr (std::endian::native == std::endian::little)
          next += std::countr_zero(special) / 8;
        break;
      }
      next += 8;
    }
    next_ = next;
  }

  // From behind the backslash.
  bool skip_escape() {
    const char code = peek();
    if (code == '\0' || std::strchr("\"\\/bfnrtu", code) == nullptr) return refuse_here();
    ++next_;
    if (code != 'u') return true;
    for (int i = 0; i < 4; ++i, ++next_) {
      if (!is_hex_digit(peek())) return refuse_here();
    }
    return true;
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
      return refuse("a string has half of a surrogate pair");
    }
    const std::size_t offset = unescaped_.size();
    unescaped_.append(meaning);
    text = std::string_view(unescaped_).substr(offset);
    return true;
  }

  bool refuse(std::string_view problem) {
    problem_ = problem;
    return false;
  }
  bool refuse_here() {
    if (next_ == end_) return refuse("not JSON: it ends too early");
    return refuse(
        fmt::format("not JSON from {} on", shown({next_, static_cast<std::size_t>(end_ - next_)})));
  }

  const FieldTree tree_;
  const FieldNode nothing_;
  const char* next_ = nullptr;  // In the record that is being read.
  const char* end_ = nullptr;   // Of it.
  RecordFields fields_;
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
