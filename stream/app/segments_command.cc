#include "stream/app/segments_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <set>

#include "config/quantity_text.h"
#include "config/segmentation_text.h"
#include "config/settings.h"
#include "model/segmentation.h"
#include "model/segmentation_map.h"
#include "stream/app/text_table.h"

namespace rfm {

namespace {

std::string axes_text(const SegmentationSpec& spec) {
  if (!spec.centroids.empty()) return fmt::format("centroids ({})", spec.centroids.size());
  if (spec.scorer == Scorer::kCluster) return "clusters";
  std::vector<std::string> names;
  for (const Axis& axis : spec.axes)
    names.push_back(fmt::format("{} ({})", axis.name, axis.cuts.bins));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string first_sentence(std::string_view note) {
  const std::size_t end = note.find(". ");
  return std::string(end == std::string_view::npos ? note : note.substr(0, end + 1));
}

absl::Status list(const SettingsArguments& arguments) {
  const absl::StatusOr<Settings> settings = arguments.load();
  if (!settings.ok()) return settings.status();
  const absl::StatusOr<Segmentations> in_force = settings->segmentations();
  if (!in_force.ok()) return in_force.status();
  std::vector<std::vector<std::string>> lines = {
      {"name", "in force", "segments", "scores on", "what it is"}};
  const auto add = [&](const SegmentationSpec& spec, std::string_view note) {
    const bool is_there = in_force->find(spec.name) < in_force->size();
    lines.push_back({spec.name, is_there ? "yes" : "-", fmt::format("{}", spec.segments.size()),
                     axes_text(spec), first_sentence(note)});
  };
  for (const Segmentation& segmentation : in_force->all()) {
    const SegmentationSpec* const preset = find_preset(segmentation.name());
    if (preset == nullptr) {
      add(segmentation.spec(), "Of the settings.");
    } else if (*preset != segmentation.spec()) {
      add(segmentation.spec(), "The preset, changed by the settings.");
    } else {
      add(segmentation.spec(), preset_note(segmentation.name()));
    }
  }
  for (const std::string_view name : preset_names()) {
    if (in_force->find(name) == in_force->size()) add(*find_preset(name), preset_note(name));
  }
  print_table(lines);
  return absl::OkStatus();
}

std::string cuts_text(const CutSpec& cuts) {
  std::vector<std::string> fixed;
  for (const std::int64_t cut : cuts.fixed) fixed.push_back(format_quantity(cuts.quantity, cut));
  std::string text = fmt::format("{}", fmt::join(fixed, ", "));
  if (cuts.method == CutMethod::kFixed) return text;
  std::string how = fmt::format(
      "{} in {}", cuts.method == CutMethod::kQuantile ? "quantiles" : "natural breaks", cuts.bins);
  std::vector<std::string> bounds;
  for (const CutBounds& each : cuts.bounds) bounds.push_back(format_bounds(cuts.quantity, each));
  if (!bounds.empty()) how += fmt::format(", cuts within {}", fmt::join(bounds, ", "));
  return how + (text.empty() ? "; no segment until there are enough customers"
                             : fmt::format("; at first {}", text));
}

std::string action_text(const SegmentAction& action) {
  std::string text = action.on == MoveKind::kUpOrFirst ? "up: "
                     : action.on == MoveKind::kDown    ? "down: "
                                                       : "any: ";
  if (!action.where_segmentation.empty()) {
    text += fmt::format("if {} is {}: ", action.where_segmentation,
                        fmt::join(action.where_segments, " or "));
  }
  text += action.text;
  if (action.cooldown_ms > 0) {
    text += fmt::format(" (not again within {})",
                        format_quantity(Quantity::kRecency, action.cooldown_ms));
  }
  return text;
}

void print_segments(const SegmentationSpec& spec) {
  std::vector<SegmentInfo> segments = spec.segments;
  std::ranges::stable_sort(segments, std::greater{}, &SegmentInfo::rank);
  std::vector<std::vector<std::string>> lines = {{"segment", "rank", "lost", "meaning, actions"}};
  for (const SegmentInfo& info : segments) {
    lines.push_back(
        {info.name, fmt::format("{}", info.rank), info.lost ? "lost" : "", info.description});
    for (const SegmentAction& action : info.actions)
      lines.push_back({"", "", "", action_text(action)});
    if (info.actions.empty()) lines.push_back({"", "", "", "(no action)"});
  }
  print_table(lines);
}

void print(const SegmentationSpec& spec, std::string_view note) {
  std::vector<std::string> damping = {
      fmt::format("stay {}", *segmentation_text(spec, "stay")),
      spec.guard ? "silence never up, a purchase never down" : "no guard of the direction"};
  if (spec.scorer == Scorer::kCluster) {
    damping.push_back(fmt::format("hysteresis {}", *segmentation_text(spec, "hysteresis")));
    damping.push_back(fmt::format("recency at least {}", *segmentation_text(spec, "recency_min")));
  }
  print_table(
      {{spec.name, std::string(note)}, {"damping", fmt::format("{}", fmt::join(damping, "; "))}});
  fmt::print("\n");
  if (!spec.axes.empty()) {
    std::vector<std::vector<std::string>> axes = {{"axis", "of", "margin", "cuts"}};
    for (const Axis& axis : spec.axes) {
      axes.push_back({axis.name, std::string(name(axis.cuts.quantity)),
                      fmt::format("{}", axis.margin), cuts_text(axis.cuts)});
    }
    print_table(axes);
    fmt::print("\n");
  }
  print_segments(spec);
  if (const std::string grid = map_grid(spec); !grid.empty()) fmt::print("\n{}", grid);
}

enum class Form : std::uint8_t { kTable, kToml };

absl::Status show(const SettingsArguments& arguments, const std::string& name, Form form) {
  const absl::StatusOr<Settings> settings = arguments.load();
  if (!settings.ok()) return settings.status();
  const absl::StatusOr<Segmentations> in_force = settings->segmentations();
  if (!in_force.ok()) return in_force.status();
  const std::size_t index = in_force->find(name);
  const SegmentationSpec* const preset = find_preset(name);
  if (index == in_force->size() && preset == nullptr) {
    std::set<std::string_view> names(preset_names().begin(), preset_names().end());
    for (const Segmentation& segmentation : in_force->all()) names.insert(segmentation.name());
    return absl::InvalidArgumentError(
        fmt::format("there is no segmentation {}; there are {}", name, fmt::join(names, ", ")));
  }
  const SegmentationSpec& spec = index < in_force->size() ? (*in_force)[index].spec() : *preset;
  const bool is_preset = preset != nullptr && spec == *preset;
  if (form == Form::kToml) {
    fmt::print("{}", documented_segmentation(spec));
  } else {
    print(spec, is_preset ? preset_note(name) : std::string_view("As the settings have it."));
  }
  return absl::OkStatus();
}

}  // namespace

void add_segments_command(CLI::App& app, Invocation& invocation) {
  struct Arguments {
    SettingsArguments settings;
    std::string name;
    bool toml = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& segments = *app.add_subcommand("segments", "Show segmentations and presets of them");
  segments.require_subcommand(1);
  segments.footer(
      "Examples:\n"
      "  rfmstream segments list\n"
      "  rfmstream segments show putler\n"
      "  rfmstream segments show putler --toml >> rfmstream.toml\n"
      "  rfmstream segments show mine --config rfmstream.toml");

  CLI::App& list_command = *segments.add_subcommand(
      "list", "The segmentations of the settings and all presets, one a line");
  add_settings_arguments(list_command, arguments->settings);
  list_command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return list(arguments->settings); };
  });

  CLI::App& show_command = *segments.add_subcommand(
      "show", "One segmentation: damping, axes with their cuts, segments with actions, the map");
  add_settings_arguments(show_command, arguments->settings);
  show_command
      .add_option("name", arguments->name, "A segmentation of the settings, or else a preset")
      ->required();
  show_command.add_flag("--toml", arguments->toml,
                        "As a table of a settings file, to be changed there");
  show_command.callback([arguments, &invocation] {
    invocation.run = [arguments] {
      return show(arguments->settings, arguments->name,
                  arguments->toml ? Form::kToml : Form::kTable);
    };
  });
}

}  // namespace rfm
