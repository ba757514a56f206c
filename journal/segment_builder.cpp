#include "journal/segment_builder.h"

#include <algorithm>

#include "journal/mixed_records.h"
#include "journal/packed_value.h"

namespace tidemark::journal {

void SegmentBuilder::add(const Block& block) {
  BlockBones bones{block.first, block.count, block.recorded_at, block.kinds, block.level, 0, 0};
  bones.sections_begin = static_cast<std::uint32_t>(skeleton_.sections.size());
  auto line = raw(block.first);
  for (const auto& section : block.sections) {
    auto& added = skeleton_.sections.emplace_back();
    added.section = section;
    added.section.payload.clear();
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
  auto& frames = frames_[static_cast<std::size_t>(of)];
  if (part.frame == frames.size()) frames.emplace_back();
  frames[part.frame] += bytes;
  bones.parts.push_back(part);
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
  std::vector<KeyValue> puts;
  puts.emplace_back(skeleton_key(header.first), encode_skeleton(skeleton_));
  header.skeleton = digest(puts.back().second);
  for (std::uint8_t of = 0; of < kFrameClasses; ++of) {
    for (std::uint32_t frame = 0; frame < frames_[of].size(); ++frame) {
      puts.emplace_back(frame_key(static_cast<RecordClass>(of), header.first, frame),
                        pack_value(frames_[of][frame]));
      header.records[of] = next_digest(header.records[of], puts.back().second);
    }
    header.frames[of] = static_cast<std::uint32_t>(frames_[of].size());
  }
  return puts;
}

}  // namespace tidemark::journal
