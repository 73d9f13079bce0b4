// The members of one JSON object of the model log, read with the path of what is wrong.
#pragma once

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace rfm {

namespace dom = simdjson::dom;

// Reads the members of one object. The first that is missing or of another type is the fault, which
// names it by its path; values read from there on mean nothing.
class LogFields {
 public:
  LogFields(simdjson::simdjson_result<dom::element> value, std::string path, std::string& fault)
      : path_(std::move(path)), fault_(fault) {
    dom::object object;
    if (value.get(object)) {
      fail("", "it is not an object");
    } else {
      object_ = object;
    }
  }

  bool has(std::string_view name) const { return !find(name).error(); }
  std::int64_t integer(std::string_view name) {
    return read<std::int64_t>(name, "not a whole number of 64 bits");
  }
  double real(std::string_view name) { return read<double>(name, "not a number"); }
  bool flag(std::string_view name) { return read<bool>(name, "not true or false"); }
  std::string text(std::string_view name) {
    return std::string(read<std::string_view>(name, "not a text"));
  }
  std::vector<dom::element> list(std::string_view name) {
    dom::array values;
    if (!find(name).get(values)) return {values.begin(), values.end()};
    fail(name, "not a list");
    return {};
  }
  std::vector<std::string_view> names() const {
    std::vector<std::string_view> names;
    if (!object_) return names;
    for (const dom::key_value_pair member : *object_) names.push_back(member.key);
    return names;
  }
  template <class Number, std::size_t kSize>
  void array(std::string_view name, std::array<Number, kSize>& out) {
    std::vector<Number> numbers;
    append(name, numbers);
    if (numbers.size() == kSize) {
      std::ranges::copy(numbers, out.begin());
    } else {
      fail(name, fmt::format("not {} numbers", kSize));
    }
  }
  template <class Number>
  void append(std::string_view name, std::vector<Number>& out) {
    using Read = std::conditional_t<std::is_same_v<Number, double>, double, std::int64_t>;
    for (const dom::element value : list(name)) {
      Read number{};
      if (value.get(number) || !fits<Number>(number))
        return fail(name, "not a list of numbers that fit");
      out.push_back(static_cast<Number>(number));
    }
  }
  LogFields object(std::string_view name) { return {find(name), path_of(name), fault_}; }

  std::string path_of(std::string_view name) const {
    return name.empty() || path_.empty() ? path_ + std::string(name)
                                         : fmt::format("{}.{}", path_, name);
  }
  void fail(std::string_view name, std::string_view what) {
    if (!fault_.empty()) return;
    const bool is_missing = !name.empty() && !has(name);
    const std::string path = path_of(name);
    fault_ = fmt::format("{}{}{}", path, path.empty() ? "" : ": ", is_missing ? "missing" : what);
  }

 private:
  simdjson::simdjson_result<dom::element> find(std::string_view name) const {
    if (!object_) return simdjson::NO_SUCH_FIELD;
    return object_->at_key(name);
  }
  template <class Value>
  Value read(std::string_view name, std::string_view fault) {
    Value value{};
    if (find(name).get(value)) fail(name, fault);
    return value;
  }
  template <class Number, class Read>
  static bool fits(Read number) {
    return static_cast<Read>(static_cast<Number>(number)) == number;
  }

  std::optional<dom::object> object_;
  std::string path_;
  std::string& fault_;
};

}  // namespace rfm
