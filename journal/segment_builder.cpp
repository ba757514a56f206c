#include "journal/segment_builder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "journal/mixed_records.h"
#include "journal/packed_value.h"

namespace tidemark::journal {

void SegmentBuilder::add(const Block& block) {
  if (empty()) first_ = block.first;
  BlockBones bones{block.first, block.count, block.recorded_at, block.kinds, block.level, 0, 0};
  bones.sections_begin = static_cast<std::uint32_t>(skeleton_.sections.size());
  auto line = raw(block.first);
  for (const auto& section : block.sections) {
    auto& added = skeleton_.sections.emplace_back();
    // Without the payload, of which a cleared copy would keep the memory.
    added.section = {section.origin,
                     section.incarnation,
                     section.sequence,
                     section.count,
                     section.format,
                     section.sent_at,
                     {}};
    add(added, section, Line{line});
    line += section.count;
  }
  bones.sections_end = static_cast<std::uint32_t>(skeleton_.sections.size());
  skeleton_.blocks.push_back(bones);
}

void SegmentBuilder::add(SectionBones& bones, const Section& section, Line first) {
  if (section.format == SectionFormat::kUpdates && !whole_.contains(first)) {
    bones.content = Content::kRows;
    return;
  }
  bones.content = Content::kWhole;
  if (section.format == SectionFormat::kRecords) {
    auto split = split_records(section);
    if (split.runs.size() == 1) {
      return add_part(bones, split.runs.front().of, section.payload);
    }
    if (!split.runs.empty()) {
      bones.content = Content::kMixed;
      bones.runs = std::move(split.runs);
      for (std::uint8_t of = 0; of < kFrameClasses; ++of) {
        if (!split.batches[of].empty()) {
          add_part(bones, static_cast<RecordClass>(of), split.batches[of]);
        }
      }
      return;
    }
  }
  add_part(bones, RecordClass::kKept, section.payload);
}

void SegmentBuilder::add_part(SectionBones& bones, RecordClass of, BytesView bytes) {
  Part part{of, static_cast<std::uint32_t>(bytes.size()), 0, 0};
  places_.place(part);
  auto& frame = frames_[static_cast<std::size_t>(of)];
  if (part.frame != frame.number) end_frame(of);
  frame.bytes += bytes;
  bones.parts.push_back(part);
}

void SegmentBuilder::end_frame(RecordClass of) {
  auto& frame = frames_[static_cast<std::size_t>(of)];
  const auto& [key, value] =
      full_.emplace_back(frame_key(of, first_, frame.number), pack_value(frame.bytes));
  frame.before = next_digest(frame.before, value);
  full_bytes_ += key.size() + value.size();
  frame.bytes.clear();
  ++frame.number;
}

std::vector<KeyValue> SegmentBuilder::take_full(std::size_t bytes_min) {
  if (full_bytes_ < bytes_min) return {};
  full_bytes_ = 0;
  return std::exchange(full_, {});
}

std::vector<KeyValue> SegmentBuilder::finish(SegmentHeader& header) {
  const auto& blocks = skeleton_.blocks;
  header.first = blocks.front().first;
  header.last = blocks.back().last();
  header.earliest = blocks.front().recorded_at;
  header.latest = blocks.back().recorded_at;
  header.blocks = static_cast<std::uint32_t>(blocks.size());
  for (const auto& each : blocks) {
    header.kinds |= each.kinds;
    header.level = std::max(header.level, each.level);
  }
  for (std::uint8_t number = 0; number < kFrameClasses; ++number) {
    const auto of = static_cast<RecordClass>(number);
    auto& frame = frames_[number];
    if (!frame.bytes.empty()) end_frame(of);
    header.records[number] = frame.before;
    header.frames[number] = frame.number;
  }
  std::vector<KeyValue> puts;
  puts.emplace_back(skeleton_key(header.first), encode_skeleton(skeleton_));
  header.skeleton = digest(puts.back().second);
  std::move(full_.begin(), full_.end(), std::back_inserter(puts));
  full_.clear();
  return puts;
}

}  // namespace tidemark::journal
