// test/journal/stress_model.h
//
// What a journal under stress holds, by formula: line n is a function of n, so is how far each
// origin is, and what every channel was. Whoever reads can tell by himself whether it is right.
// Lines that a power cut took are in lost(), and nothing else stands in their place.

#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "journal/archive.h"
#include "journal/lost_lines.h"
#include "journal/retainer.h"
#include "journal/thinner.h"
#include "journal_samples.h"

namespace tidemark::journal::stress {

constexpr std::uint32_t kChannels = 5;
constexpr std::uint64_t kEachMessage =
    7;  // every seventh line is a message, the others are updates

/// Segments are short, so that much is sealed.
inline ProjectionLimits limits() {
  ProjectionLimits limits;
  limits.segments.length = 2048;
  limits.keyframe_lines_per_channel = 100;
  return limits;
}

/// And most of them are given up by the log.
inline ThinnerLimits thinner_limits() {
  ThinnerLimits limits;
  limits.raw_segments_kept = 1;
  limits.segments_at_once = 2;
  return limits;
}

/// Two or three segments of updates, and some of messages: all else expires as soon as it may.
inline RetainerOptions retention() {
  RetainerOptions options;
  options.rules[static_cast<std::size_t>(RecordClass::kPvUpdates)].bytes = 4'000;
  options.rules[static_cast<std::size_t>(RecordClass::kLogMessages)].bytes = 6'000;
  options.decimate = std::chrono::seconds(1);  // rows that are made longer, and new ones
  options.pause = Duration{0};
  return options;
}

inline bool is_message(std::uint64_t line) { return line % kEachMessage == 0; }
inline std::uint32_t channel_of(std::uint64_t line) {
  return 1 + static_cast<std::uint32_t>(line % kChannels);
}
inline model::Record record_at(std::uint64_t line) {
  // Of very different lengths.
  return message(std::to_string(line) + std::string(line % 91 == 0 ? 3000 : line % 50, '.'));
}
inline model::PvUpdate update_at(std::uint64_t line) {
  return value_of(channel_of(line), static_cast<double>(line));
}
/// Of the origin that writes it: updates are of origin_a, messages of origin_b.
inline std::uint64_t sequence_at(std::uint64_t line) {
  return is_message(line) ? line / kEachMessage : line - line / kEachMessage;
}

inline std::vector<LineRange>& lost() {
  static std::vector<LineRange> ranges;
  return ranges;
}
inline bool is_lost(std::uint64_t line) {
  return std::any_of(lost().begin(), lost().end(), [line](const auto& range) {
    return raw(range.first) <= line && line <= raw(range.last);
  });
}

/// Fills lost() with what the journal says. What is wrong with that; empty when nothing is.
inline std::string find_lost(const Store& store) {
  lost().clear();
  std::string fault;
  const auto scanned = store.scan(Line{1}, {}, [&](Block& block) {
    if (block.sections[0].origin != lost_lines_origin()) return true;
    lost().push_back({block.first, Line{raw(block.first) + block.count - 1}});
    const auto records = model::decode_records(block.sections[0].payload);
    const auto* said = records ? std::get_if<model::LogMessage>(&records.value()[0]) : nullptr;
    if (said == nullptr || !said->text.starts_with(to_text(lost().back()) + " are lost: ")) {
      fault = to_text(lost().back()) + " do not say that they are lost";
    }
    return fault.empty();
  });
  return scanned ? fault : scanned.error().message;
}

/// The number of the last message, or update, by `line`; of its origin.
inline std::uint64_t last_sequence(std::uint64_t line, bool of_messages) {
  while (line > 0 && (is_message(line) != of_messages || is_lost(line))) --line;
  return line == 0 ? 0 : sequence_at(line);
}

/// The lines from `first` to `last`, as one append.
inline std::vector<InspectedSection> sections(std::uint64_t first, std::uint64_t last) {
  std::vector<InspectedSection> out;
  for (auto line = first; line <= last;) {
    if (is_message(line)) {
      out.push_back(inspected(
          section_of(std::vector<model::Record>{record_at(line)}, sequence_at(line), origin_b())));
      ++line;
      continue;
    }
    std::vector<model::PvUpdate> updates;
    const auto sequence = sequence_at(line);
    for (; line <= last && !is_message(line); ++line) updates.push_back(update_at(line));
    out.push_back(inspected(section_of(updates, sequence)));
  }
  return out;
}

/// What is wrong with a block; empty when it holds what the formula says.
inline std::string fault_in(const Block& block) {
  auto line = raw(block.first);
  const auto at = [&] { return "line " + std::to_string(line); };
  for (const auto& section : block.sections) {
    if (is_lost(line) != (section.origin == lost_lines_origin())) return at() + " is lost, or not";
    if (is_lost(line)) {
      line += section.count;
      continue;
    }
    const bool updates = section.format == SectionFormat::kUpdates;
    if (updates == is_message(line)) return at() + " is of the wrong kind";
    if (section.sequence != sequence_at(line)) return at() + " has another sequence";
    if (section.origin != (updates ? origin_a() : origin_b())) return at() + " has another origin";
    if (updates) {
      const auto decoded = model::decode_updates(section.payload);
      if (!decoded) return at() + ": " + decoded.error().message;
      for (const auto& each : decoded.value()) {
        if (!(each == update_at(line))) return at() + " is another update";
        ++line;
      }
    } else {
      const auto decoded = model::decode_records(section.payload);
      if (!decoded) return at() + ": " + decoded.error().message;
      for (const auto& each : decoded.value()) {
        if (!(each == record_at(line))) return at() + " is another record";
        ++line;
      }
    }
  }
  if (line != raw(block.first) + block.count) return at() + ": another count";
  return "";
}

/// The line that gave `channel` its value by `line`; 0 when none did.
inline std::uint64_t value_line(std::uint32_t channel, std::uint64_t line) {
  for (; line > 0; --line) {
    if (!is_message(line) && channel_of(line) == channel && !is_lost(line)) return line;
  }
  return 0;
}

/// What is wrong with the machine at `line`; empty when nothing is.
inline std::string fault_in_state(const Archive& archive, std::uint64_t line) {
  const auto state = archive.state_at(Line{line});
  if (!state) return "state at " + std::to_string(line) + ": " + state.error().message;
  for (std::uint32_t channel = 1; channel <= kChannels; ++channel) {
    const auto expected = value_line(channel, line);
    const auto* row = state.value().find(model::ChannelId{channel});
    const auto found = row == nullptr ? 0 : raw(row->value_line);
    if (found != expected || (row != nullptr && row->value != update_at(expected).value)) {
      return "channel " + std::to_string(channel) + " at line " + std::to_string(line) +
             " is of line " + std::to_string(found) + ", not " + std::to_string(expected);
    }
  }
  return "";
}

/// What is wrong with one channel's past; empty when nothing is.
inline std::string fault_in_samples(const Archive& archive, std::uint32_t channel,
                                    std::uint64_t from, std::uint64_t to) {
  auto next = from;
  std::string fault;
  const auto skip = [&] {
    while (next <= to && (is_message(next) || channel_of(next) != channel || is_lost(next))) {
      ++next;
    }
  };
  skip();
  const auto read = archive.samples(
      model::ChannelId{channel}, Line{from}, Line{to}, [&](const std::vector<Sample>& part) {
        for (const auto& each : part) {
          if (raw(each.line) != next || !(each.update == update_at(next))) {
            fault = "a sample of line " + std::to_string(raw(each.line)) + " where line " +
                    std::to_string(next) + " comes next";
            return false;
          }
          ++next;
          skip();
        }
        return true;
      });
  if (!read) return read.error().message;
  if (fault.empty() && next <= to)
    fault = "the sample of line " + std::to_string(next) + " is gone";
  return fault;
}

}  // namespace tidemark::journal::stress
