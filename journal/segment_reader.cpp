#include "journal/segment_reader.h"

#include <algorithm>

#include "journal/block_codec.h"
#include "journal/mixed_records.h"
#include "journal/packed_value.h"

namespace tidemark::journal {
namespace {

constexpr std::size_t kFrameMax = kBlockRawBytesMax + kFrameBytes;  // one section may be a block

Error damaged(const SegmentHeader& header, const std::string& why) {
  return Error{Code::kCorruption, "lines " + std::to_string(raw(header.first)) + " to " +
                                      std::to_string(raw(header.last)) + " are damaged: " + why};
}

/// The value of `key`, which must be there.
template <class Take>
Result<Unit> read_value(const ProjectionTable& table, const Bytes& key, Take&& take) {
  Result<Unit> result = Error{Code::kCorruption, "a piece of a segment is missing"};
  const auto scanned = table.scan(key, key + '\0', [&](BytesView, BytesView value) {
    result = take(value);
    return false;
  });
  return scanned ? result : scanned;
}

bool passes(const BlockFilter& filter, const BlockBones& block) {
  return passes(filter, block.kinds, block.level, block.recorded_at);
}

bool may_pass(const BlockFilter& filter, const SegmentHeader& header) {
  return (filter.kinds & header.kinds) != 0 && header.level >= filter.level &&
         (!filter.since || header.latest >= *filter.since) &&
         (!filter.until || header.earliest <= *filter.until);
}

/// Makes a block again, and shows it.
class BlockMaker {
 public:
  BlockMaker(const ProjectionTable& table, SegmentRowsCache& rows, const SegmentHeader& header,
             const BlockFilter& filter)
      : sections_(table, rows, header),
        header_(header),
        with_updates_((filter.kinds & kUpdateKinds) != 0) {}

  Result<bool> show(const Skeleton& skeleton, const BlockBones& bones,
                    const std::function<bool(Block&)>& visit) {
    Block block{bones.first, bones.count, bones.recorded_at, bones.kinds, bones.level, {}};
    auto line = raw(bones.first);
    for (auto i = bones.sections_begin; i < bones.sections_end; ++i) {
      const auto& each = skeleton.sections[i];
      if (each.section.format == SectionFormat::kUpdates && !with_updates_) {
        block.sections.push_back(each.section);
      } else {
        auto made = sections_.make(each, Line{line});
        if (!made) {
          return made.error().code == Code::kCorruption ? damaged(header_, made.error().message)
                                                        : made.error();
        }
        block.sections.push_back(std::move(made).value());
      }
      line += each.section.count;
    }
    return visit(block);
  }

 private:
  SectionMaker sections_;
  const SegmentHeader& header_;
  const bool with_updates_;
};

}  // namespace

Result<Section> SectionMaker::make(const SectionBones& bones, Line first) {
  Section section = bones.section;
  switch (bones.content) {
    case Content::kRows: {
      auto payload = rows(section.count, first);
      if (!payload) return payload.error();
      section.payload = std::move(payload).value();
      return section;
    }
    case Content::kWhole: {
      const auto bytes = part(bones.parts.front());
      if (!bytes) return bytes.error();
      section.payload = bytes.value();
      return section;
    }
    case Content::kMixed: break;
  }
  std::array<Bytes, kFrameClasses> batches;
  for (const auto& each : bones.parts) {
    const auto bytes = part(each);
    if (!bytes) return bytes.error();
    batches[static_cast<std::size_t>(each.of)] = bytes.value();
  }
  auto payload = join_records(bones.runs, batches);
  if (!payload) return payload.error();
  section.payload = std::move(payload).value();
  return section;
}

Result<Bytes> SectionMaker::rows(std::uint32_t count, Line first) {
  const Segments segments{header_.length};
  std::vector<model::PvUpdate> updates;
  updates.reserve(std::min<std::uint64_t>(count, header_.length));
  while (updates.size() < count) {
    const Line next{raw(first) + updates.size()};
    const auto segment = segments.of(next);
    if (!current_ || current_segment_ != segment) {
      auto loaded = rows_.get(table_, segments, segment);
      if (!loaded) return loaded.error();
      current_ = std::move(loaded).value();
      current_segment_ = segment;
    }
    if (!current_->copy(next, count - updates.size(), updates)) {
      return Error{Code::kCorruption, "an update is in no chunk"};
    }
  }
  return model::encode_updates(updates);
}

Result<BytesView> SectionMaker::part(const Part& part) {
  auto& frame = frames_[static_cast<std::size_t>(part.of)];
  if (frame.number != part.frame) {
    frame.number = ~std::uint32_t{0};
    const auto got =
        read_value(table_, frame_key(part.of, header_.first, part.frame), [&](BytesView value) {
          auto bytes = unpack_value(value, kFrameMax);
          if (!bytes) return Result<Unit>(bytes.error());
          frame.bytes = std::move(bytes).value();
          return Result<Unit>(Unit{});
        });
    if (!got) return got.error();
    frame.number = part.frame;
  }
  if (part.offset > frame.bytes.size() || part.bytes > frame.bytes.size() - part.offset) {
    return Error{Code::kCorruption, "a frame is too short"};
  }
  return BytesView(frame.bytes).substr(part.offset, part.bytes);
}

Result<std::optional<SegmentHeader>> SegmentReader::holding(Line line) const {
  auto header = before(line);
  if (header && header.value() && header.value()->last < line) {
    return std::optional<SegmentHeader>{};
  }
  return header;
}

Result<Skeleton> SegmentReader::skeleton(const SegmentHeader& header) const {
  Skeleton skeleton;
  const auto got = read_value(table_, skeleton_key(header.first), [&](BytesView value) {
    auto decoded = decode_skeleton(value);
    if (!decoded) return Result<Unit>(decoded.error());
    skeleton = std::move(decoded).value();
    return Result<Unit>(Unit{});
  });
  if (!got) {
    return got.error().code == Code::kCorruption ? damaged(header, got.error().message)
                                                 : got.error();
  }
  if (skeleton.blocks.front().first != header.first ||
      skeleton.blocks.back().last() != header.last) {
    return damaged(header, "the skeleton is of other lines");
  }
  return skeleton;
}

Result<bool> SegmentReader::scan(const SegmentHeader& header, Line from, const BlockFilter& filter,
                                 const std::function<bool(Block&)>& visit) const {
  if (!may_pass(filter, header)) return true;
  const auto skeleton = this->skeleton(header);
  if (!skeleton) return skeleton.error();
  const auto& blocks = skeleton.value().blocks;
  BlockMaker maker(table_, rows_, header, filter);
  auto at = std::lower_bound(blocks.begin(), blocks.end(), from,
                             [](const BlockBones& each, Line line) { return each.last() < line; });
  for (; at != blocks.end() && at->first <= filter.last; ++at) {
    if (!passes(filter, *at)) continue;
    const auto more = maker.show(skeleton.value(), *at, visit);
    if (!more || !more.value()) return more;
  }
  return true;
}

Result<bool> SegmentReader::scan_back(const SegmentHeader& header, Line from,
                                      const BlockFilter& filter,
                                      const std::function<bool(Block&)>& visit) const {
  if (!may_pass(filter, header)) return true;
  const auto skeleton = this->skeleton(header);
  if (!skeleton) return skeleton.error();
  const auto& blocks = skeleton.value().blocks;
  BlockMaker maker(table_, rows_, header, filter);
  auto at = std::upper_bound(blocks.begin(), blocks.end(), from,
                             [](Line line, const BlockBones& each) { return line < each.first; });
  while (at != blocks.begin() && (--at)->last() >= filter.first) {
    if (!passes(filter, *at)) continue;
    const auto more = maker.show(skeleton.value(), *at, visit);
    if (!more || !more.value()) return more;
  }
  return true;
}

Result<Line> SegmentReader::line_at(const SegmentHeader& header, UtcTime time) const {
  if (time >= header.latest) return header.last;
  const auto skeleton = this->skeleton(header);
  if (!skeleton) return skeleton.error();
  const auto& blocks = skeleton.value().blocks;
  const auto after =
      std::upper_bound(blocks.begin(), blocks.end(), time,
                       [](UtcTime at, const BlockBones& each) { return at < each.recorded_at; });
  if (after == blocks.begin()) return Line{raw(header.first) - 1};
  return std::prev(after)->last();
}

}  // namespace tidemark::journal
