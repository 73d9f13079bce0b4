// Options that take one of a few names.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <string>

namespace rfm {

// Another name is refused with what is allowed.
template <class Target, class Value>
CLI::Option& add_choice(CLI::App& command, const std::string& flags, Target& target,
                        const std::map<std::string, Value>& choices,
                        const std::string& description) {
  const auto read = [&target, flags, choices](const std::string& text) {
    const auto chosen = choices.find(text);
    if (chosen != choices.end()) {
      target = chosen->second;
      return;
    }
    std::string allowed;
    for (const auto& [name, value] : choices) (allowed += allowed.empty() ? "" : ", ") += name;
    throw CLI::ValidationError(flags, fmt::format("{} is refused; allowed: {}", text, allowed));
  };
  return *command.add_option_function<std::string>(flags, read, description);
}

}  // namespace rfm
