#include "journal/replay_source.h"

#include <algorithm>

#include "base/check.h"
#include "journal/record_class.h"

namespace tidemark::journal {
namespace {

/// Items of a section, less those that are not wanted.
template <class Item>
struct Picked {
  std::vector<Item> items;
  std::vector<Line> lines;
};

template <class Item, class Wants>
Picked<Item> pick(std::vector<Item> items, std::uint64_t first, Wants&& wants) {
  Picked<Item> picked;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Line line{first + i};
    if (!wants(line, items[i])) continue;
    picked.lines.push_back(line);
    picked.items.push_back(std::move(items[i]));
  }
  return picked;
}

Bytes encode(const std::vector<model::PvUpdate>& updates) { return model::encode_updates(updates); }
Bytes encode(const std::vector<model::Record>& records) { return model::encode_records(records); }

Result<std::vector<model::PvUpdate>> decode_as(const Section& section, model::PvUpdate) {
  return model::decode_updates(section.payload);
}
Result<std::vector<model::Record>> decode_as(const Section& section, model::Record) {
  return model::decode_records(section.payload);
}

/// Leaves in `piece` what comes after its first `count` items, and answers these.
template <class Item>
Result<ReplayPiece> split(ReplayPiece& piece, std::uint32_t count) {
  auto items = decode_as(piece.section, Item{});
  if (!items) return items.error();
  if (items.value().size() != piece.section.count) {
    return Error{Code::kCorruption, "a section that does not hold what it says"};
  }
  const auto cut = items.value().begin() + count;
  ReplayPiece head = piece;
  head.section.count = count;
  head.section.payload = encode(std::vector<Item>(items.value().begin(), cut));
  piece.section.count -= count;
  piece.section.sequence += count;
  piece.section.payload = encode(std::vector<Item>(cut, items.value().end()));
  if (piece.lines.empty()) {
    head.last = Line{raw(piece.first) + count - 1};
    piece.first = Line{raw(head.last) + 1};
  } else {
    head.lines.resize(count);
    head.last = head.lines.back();
    piece.lines.erase(piece.lines.begin(), piece.lines.begin() + count);
    piece.first = piece.lines.front();
  }
  return head;
}

/// The same of lines that expired, of which there is nothing but how many they were.
ReplayPiece split_expired(ReplayPiece& piece, std::uint32_t count) {
  ReplayPiece head = piece;
  head.section.count = count;
  head.last = Line{raw(piece.first) + count - 1};
  piece.section.count -= count;
  piece.section.sequence += count;
  piece.first = Line{raw(head.last) + 1};
  return head;
}

}  // namespace

ReplaySource::ReplaySource(const Store& store, Line after, Line to, ReplayFilter filter)
    : store_(store), to_(to), filter_(std::move(filter)), after_(after) {}

void ReplaySource::seek(Line after) {
  pieces_.clear();
  after_ = after;
}

Result<const ReplayPiece*> ReplaySource::next() {
  if (pieces_.empty() && after_ < to_) {
    const auto read = read_on();
    if (!read) return read.error();
  }
  return pieces_.empty() ? nullptr : &pieces_.front();
}

Result<ReplayPiece> ReplaySource::take(std::uint32_t count) {
  TIDEMARK_CHECK(!pieces_.empty() && count > 0 && count <= pieces_.front().section.count);
  auto& front = pieces_.front();
  if (count < front.section.count && front.section.format == SectionFormat::kExpired) {
    return split_expired(front, count);
  }
  if (count < front.section.count) {
    return front.section.format == SectionFormat::kUpdates ? split<model::PvUpdate>(front, count)
                                                           : split<model::Record>(front, count);
  }
  auto piece = std::move(front);
  pieces_.pop_front();
  return piece;
}

Result<Unit> ReplaySource::read_on() {
  BlockFilter wanted;
  wanted.first = Line{raw(after_) + 1};
  wanted.last = to_;
  if (!filter_.records) wanted.kinds = kUpdateKinds;
  std::size_t bytes = 0;
  Result<Unit> added = Unit{};
  auto through = to_;  // what the filter skips behind the last block is read too
  const auto scanned = store_.scan(wanted.first, wanted, [&](Block& block) {
    auto first = raw(block.first);
    for (auto& section : block.sections) {
      const auto count = section.count;
      bytes += section.payload.size();
      added = add(block, section, first);
      if (!added) return false;
      first += count;
    }
    const Line last{raw(block.first) + block.count - 1};
    if (bytes < kAheadBytes) return true;
    through = std::min(last, to_);
    return false;
  });
  if (!scanned || !added) return scanned ? added : scanned;
  after_ = through;
  return Unit{};
}

Result<Unit> ReplaySource::add(const Block& block, Section& section, std::uint64_t first) {
  const auto expired = expired_class(section);
  const bool updates =
      section.format == SectionFormat::kUpdates || expired == RecordClass::kPvUpdates;
  const auto last = first + section.count - 1;
  if (last <= raw(after_) || first > raw(to_) || (!updates && !filter_.records)) return Unit{};
  ReplayPiece piece;
  piece.block = block.first;
  piece.recorded_at = block.recorded_at;
  piece.first = Line{first};
  piece.last = Line{last};
  const bool whole = first > raw(after_) && last <= raw(to_);
  const auto inside = [&](Line line) { return line > after_ && line <= to_; };
  const auto keep = [&](auto picked) {
    if (picked.items.empty()) return;
    piece.section = std::move(section);
    piece.section.sequence += raw(picked.lines.front()) - first;  // of records: they are in a row
    piece.section.count = static_cast<std::uint32_t>(picked.items.size());
    piece.section.payload = encode(picked.items);
    piece.first = picked.lines.front();
    piece.last = picked.lines.back();
    piece.lines = std::move(picked.lines);
    pieces_.push_back(std::move(piece));
  };
  if (expired) {
    piece.first = std::max(piece.first, Line{raw(after_) + 1});
    piece.last = std::min(piece.last, to_);
    const auto skip = static_cast<std::uint32_t>(raw(piece.first) - first);
    const auto left = static_cast<std::uint32_t>(raw(piece.last) - raw(piece.first) + 1);
    piece.section = expired_section(section, *expired, skip, left);
    pieces_.push_back(std::move(piece));
  } else if (whole && (!updates || !filter_.channels)) {
    piece.section = std::move(section);
    pieces_.push_back(std::move(piece));
  } else if (updates) {
    auto decoded = decode_as(section, model::PvUpdate{});
    if (!decoded) return decoded.error();
    keep(pick(std::move(decoded).value(), first, [&](Line line, const model::PvUpdate& update) {
      return inside(line) &&
             (!filter_.channels || std::binary_search(filter_.channels->begin(),
                                                      filter_.channels->end(), update.channel));
    }));
  } else {
    auto decoded = decode_as(section, model::Record{});
    if (!decoded) return decoded.error();
    keep(pick(std::move(decoded).value(), first,
              [&](Line line, const model::Record&) { return inside(line); }));
  }
  return Unit{};
}

}  // namespace tidemark::journal
