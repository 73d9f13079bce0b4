#include "stream/decode/mapping.h"

#include <fmt/core.h>

#include <array>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

constexpr std::size_t kKeyBytesMax = 128;

constexpr std::array<std::pair<std::string_view, RecordType>, 4> kTypes = {{
    {"invoice", RecordType::kInvoice},
    {"credit", RecordType::kCredit},
    {"void", RecordType::kVoid},
    {"ignore", RecordType::kIgnore},
}};

// Takes words off the front of a text.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}

  bool done() {
    skip_spaces();
    return rest_.empty();
  }

  bool skip_if(std::string_view expected) {
    skip_spaces();
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  // What is in quotes, or goes to the first of `ends`; absent: nothing is there, or quotes that do
  // not close.
  std::optional<std::string> word(std::string_view ends) {
    skip_spaces();
    if (!rest_.starts_with('"')) {
      const std::string_view bare = rest_.substr(0, rest_.find_first_of(ends));
      rest_.remove_prefix(bare.size());
      const std::string_view word = trimmed(bare);
      if (word.empty() || word.find('"') != std::string_view::npos) return std::nullopt;
      return std::string(word);
    }
    std::string word;
    for (rest_.remove_prefix(1); !rest_.empty() && rest_.front() != '"'; rest_.remove_prefix(1)) {
      if (rest_.front() == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) return std::nullopt;
      word += rest_.front();
    }
    if (rest_.empty()) return std::nullopt;
    rest_.remove_prefix(1);
    return word;
  }

  std::string_view rest() const { return rest_; }

 private:
  void skip_spaces() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

absl::Status refused_rule(std::string_view text, std::string_view at) {
  return absl::InvalidArgumentError(
      fmt::format("input.types = {}: not understood from {} on; write it like \"ignore if /test, "
                  "void if /status = cancelled | failed, invoice\"; the types are invoice, credit, "
                  "void and ignore",
                  text, shown(at)));
}

std::optional<TypeRule> parse_rule(Words& words) {
  const std::optional<std::string> name = words.word(" ,");
  TypeRule rule;
  bool known = false;
  for (const auto& [type_name, type] : kTypes) {
    if (name != type_name) continue;
    rule.type = type;
    known = true;
  }
  if (!known) return std::nullopt;
  if (!words.skip_if("if ")) return rule;
  const bool negated = words.skip_if("!");
  std::optional<std::string> pointer = words.word(" ,=!|");
  if (!pointer) return std::nullopt;
  rule.pointer = *std::move(pointer);
  rule.test = negated ? TypeRule::Test::kHoldsNot : TypeRule::Test::kHolds;
  const bool differs = words.skip_if("!=");
  if (!differs && !words.skip_if("=")) return rule;
  if (negated) return std::nullopt;
  rule.test = differs ? TypeRule::Test::kDiffers : TypeRule::Test::kEquals;
  do {
    std::optional<std::string> value = words.word(",|=");
    if (!value) return std::nullopt;
    rule.values.push_back(*std::move(value));
  } while (words.skip_if("|"));
  return rule;
}

}  // namespace

absl::StatusOr<FieldSource> parse_field_source(std::string_view text) {
  FieldSource source;
  for (std::string_view rest = trimmed(text); !rest.empty();) {
    if (rest.front() == '=') {
      source.constant = std::string(rest.substr(1));
      break;
    }
    // A comma belongs to a key unless another source follows it.
    std::size_t end = rest.size();
    std::size_t next = rest.size();
    for (std::size_t comma = rest.find(','); comma != std::string_view::npos;
         comma = rest.find(',', comma + 1)) {
      const std::size_t after = rest.find_first_not_of(' ', comma + 1);
      if (after == std::string_view::npos || (rest[after] != '/' && rest[after] != '=')) continue;
      end = comma;
      next = after;
      break;
    }
    const std::string_view pointer = trimmed(rest.substr(0, end));
    if (const auto keys = split_pointer(pointer); !keys.ok()) return keys.status();
    source.pointers.emplace_back(pointer);
    rest.remove_prefix(next);
  }
  return source;
}

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

absl::StatusOr<std::vector<TypeRule>> parse_type_rules(std::string_view text) {
  std::vector<TypeRule> rules;
  for (Words words(text); !words.done();) {
    const std::string_view at = words.rest();
    std::optional<TypeRule> rule = parse_rule(words);
    if (!rule) return refused_rule(text, at);
    if (rule->test != TypeRule::Test::kAlways) {
      if (const auto keys = split_pointer(rule->pointer); !keys.ok()) return keys.status();
    }
    rules.push_back(*std::move(rule));
    if (!words.skip_if(",") && !words.done()) return refused_rule(text, words.rest());
  }
  return rules;
}

absl::StatusOr<std::vector<std::string>> parse_ids(std::string_view text) {
  std::vector<std::string> ids;
  for (Words words(text); !words.done();) {
    std::optional<std::string> id = words.word(",");
    if (!id || (!words.skip_if(",") && !words.done()))
      return absl::InvalidArgumentError(
          fmt::format("input.anonymous = {}; write it like \"0, guest\"", text));
    ids.push_back(*std::move(id));
  }
  return ids;
}

}  // namespace rfm
