#include "journal/segment_reader.h"

#include <algorithm>

#include "journal/block_codec.h"
#include "journal/section_maker.h"

namespace tidemark::journal {
namespace {

Error damaged(const SegmentHeader& header, const std::string& why) {
  return Error{Code::kCorruption, "lines " + std::to_string(raw(header.first)) + " to " +
                                      std::to_string(raw(header.last)) + " are damaged: " + why};
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
  BlockMaker(const ProjectionTable& table, SegmentRowsCache& rows, const ExpiredIndex* expired,
             const SegmentHeader& header, const BlockFilter& filter)
      : sections_(table, rows, header, expired),
        header_(header),
        with_updates_((filter.kinds & kUpdateKinds) != 0),
        with_payloads_(filter.payloads) {}

  Result<bool> show(const Skeleton& skeleton, const BlockBones& bones,
                    const std::function<bool(Block&)>& visit) {
    Block block{bones.first, bones.count, bones.recorded_at, bones.kinds, bones.level, {}};
    auto line = raw(bones.first);
    for (auto i = bones.sections_begin; i < bones.sections_end; ++i) {
      const auto& each = skeleton.sections[i];
      const bool is_updates = each.section.format == SectionFormat::kUpdates;
      if (!with_payloads_ || (is_updates && !with_updates_)) {
        block.sections.push_back(each.section);
      } else {
        const auto made = sections_.add(each, Line{line}, block.sections);
        if (!made) {
          return made.error().code == Code::kCorruption ? damaged(header_, made.error().message)
                                                        : made.error();
        }
      }
      line += each.section.count;
    }
    return visit(block);
  }

 private:
  SectionMaker sections_;
  const SegmentHeader& header_;
  const bool with_updates_;
  const bool with_payloads_;
};

}  // namespace

Result<std::optional<SegmentHeader>> SegmentReader::holding(Line line) const {
  auto header = before(line);
  if (header && header.value() && header.value()->last < line) {
    return std::optional<SegmentHeader>{};
  }
  return header;
}

Result<Skeleton> SegmentReader::skeleton(const SegmentHeader& header) const {
  Skeleton skeleton;
  const auto got = read_piece(table_, skeleton_key(header.first), [&](BytesView value) {
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
  BlockMaker maker(table_, rows_, expired_, header, filter);
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
  BlockMaker maker(table_, rows_, expired_, header, filter);
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
