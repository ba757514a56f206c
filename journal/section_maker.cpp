#include "journal/section_maker.h"

#include <algorithm>
#include <utility>

#include "journal/block_codec.h"
#include "journal/mixed_records.h"
#include "journal/packed_value.h"

namespace tidemark::journal {
namespace {

constexpr std::size_t kFrameMax = kBlockRawBytesMax + kFrameBytes;  // one section may be a block

}  // namespace

Result<Unit> read_piece(const ProjectionTable& table, const Bytes& key,
                        const std::function<Result<Unit>(BytesView value)>& take) {
  Result<Unit> result = Error{Code::kCorruption, "a piece of a segment is missing"};
  const auto scanned = table.scan(key, key + '\0', [&](BytesView, BytesView value) {
    result = take(value);
    return false;
  });
  return scanned ? result : scanned;
}

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
    const auto copied = current_->copy(table_, next, count - updates.size(), updates);
    if (!copied) return copied.error();
  }
  return model::encode_updates(updates);
}

Result<BytesView> SectionMaker::part(const Part& part) {
  auto& frame = frames_[static_cast<std::size_t>(part.of)];
  if (frame.number != part.frame) {
    frame.number = ~std::uint32_t{0};
    const auto got =
        read_piece(table_, frame_key(part.of, header_.first, part.frame), [&](BytesView value) {
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

Result<Unit> SectionMaker::add(const SectionBones& bones, Line first,
                               std::vector<Section>& sections) {
  const auto size = sections.size();
  while (true) {
    const auto runs = expired_ == nullptr ? nullptr : expired_->get();
    const auto found =
        runs == nullptr || runs->empty() ? std::vector<Stretch>{} : stretches(*runs, bones, first);
    Result<Unit> added = Unit{};
    if (std::none_of(found.begin(), found.end(), [](auto& each) { return each.expired; })) {
      auto made = make(bones, first);
      if (made) sections.push_back(std::move(made).value());
      if (!made) added = made.error();
    } else {
      added = add(found, bones, first, sections);
    }
    // What is missing may have expired a moment ago: that is known before it is dropped.
    if (added || added.error().code != Code::kCorruption || runs == nullptr ||
        expired_->get() == runs) {
      return added;
    }
    sections.resize(size);
  }
}

std::vector<SectionMaker::Stretch> SectionMaker::stretches(const ExpiredRuns& runs,
                                                           const SectionBones& bones,
                                                           Line first) const {
  std::vector<Stretch> found;
  const auto count = bones.section.count;
  if (bones.content == Content::kRows) {
    for (std::uint32_t skip = 0; skip < count;) {
      const Line line{raw(first) + skip};
      const auto* run = runs.holding(RecordClass::kPvUpdates, line);
      auto end = raw(first) + count - 1;
      if (run != nullptr) {
        end = std::min(end, raw(run->last));
      } else if (const auto later = runs.touching(RecordClass::kPvUpdates, line, Line{end});
                 !later.empty()) {
        end = raw(later.front().first) - 1;
      }
      const auto lines = static_cast<std::uint32_t>(end - raw(line) + 1);
      found.push_back({RecordClass::kPvUpdates, skip, lines, run != nullptr});
      skip += lines;
    }
    return found;
  }
  const auto is_expired = [&](RecordClass of) {
    return runs.holding(of, header_.first) != nullptr;
  };
  if (bones.content == Content::kWhole) {
    const auto of = bones.parts.front().of;
    return {{of, 0, count, is_expired(of)}};
  }
  std::uint32_t skip = 0;
  for (const auto& run : bones.runs) {
    const bool expired = is_expired(run.of);
    // Neighbours that are there stay together.
    if (!found.empty() && !expired && !found.back().expired) {
      found.back().count += run.count;
    } else {
      found.push_back({run.of, skip, run.count, expired});
    }
    skip += run.count;
  }
  return found;
}

Result<Unit> SectionMaker::add(const std::vector<Stretch>& stretches, const SectionBones& bones,
                               Line first, std::vector<Section>& sections) {
  std::array<std::vector<model::Record>, kFrameClasses> records;
  if (bones.content == Content::kMixed) {
    for (const auto& each : bones.parts) {
      const bool gone = std::any_of(stretches.begin(), stretches.end(), [&](auto& stretch) {
        return stretch.expired && stretch.of == each.of;
      });
      if (gone) continue;
      const auto bytes = part(each);
      if (!bytes) return bytes.error();
      auto decoded = model::decode_records(bytes.value());
      if (!decoded) return decoded.error();
      records[static_cast<std::size_t>(each.of)] = std::move(decoded).value();
    }
  }
  std::array<std::size_t, kFrameClasses> next{};
  auto run = bones.runs.begin();
  for (const auto& stretch : stretches) {
    if (stretch.expired) {
      sections.push_back(expired_section(bones.section, stretch.of, stretch.skip, stretch.count));
      if (bones.content == Content::kMixed) ++run;
      continue;
    }
    Section section = bones.section;
    section.sequence += stretch.skip;
    section.count = stretch.count;
    if (bones.content == Content::kRows) {
      auto payload = rows(stretch.count, Line{raw(first) + stretch.skip});
      if (!payload) return payload.error();
      section.payload = std::move(payload).value();
    } else {  // Of several classes: of a single one, it would have expired.
      std::vector<model::Record> together;
      for (std::uint32_t taken = 0; taken < stretch.count; taken += run->count, ++run) {
        const auto of = static_cast<std::size_t>(run->of);
        if (run->count > records[of].size() - next[of]) {
          return Error{Code::kCorruption, "records of a segment: some of a class are missing"};
        }
        for (std::uint32_t i = 0; i < run->count; ++i) {
          together.push_back(std::move(records[of][next[of]++]));
        }
      }
      section.payload = model::encode_records(together);
    }
    sections.push_back(std::move(section));
  }
  return Unit{};
}

}  // namespace tidemark::journal
