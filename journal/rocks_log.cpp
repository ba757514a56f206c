#include "journal/rocks_log.h"

#include <algorithm>
#include <optional>
#include <string>

#include "journal/damage.h"
#include "journal/rocks_slice.h"

namespace tidemark::journal {
namespace {

std::optional<Line> line_of(const rocksdb::Iterator& at) {
  if (at.key().size() != sizeof(std::uint64_t)) return std::nullopt;
  return Line{read_be<std::uint64_t>(view(at.key()), 0)};
}

Line after(Line line) { return Line{raw(line) + 1}; }
Line before(Line line) { return Line{raw(line) - 1}; }

}  // namespace

Bytes line_key(Line first) {
  Bytes key;
  append_be(key, raw(first));
  return key;
}

std::unique_ptr<rocksdb::Iterator> RocksLog::iterate() const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;  // A scan would push out all that others read often.
  // Blocks that a closed segment has are not asked for, so it does not matter that they are seen
  // until files are merged. With range deletions RocksDB 7.8 frees memory twice when a table is
  // damaged.
  options.ignore_range_deletions = true;
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options, family_));
}

Line RocksLog::last_unreadable(Line bad, Line end) const {
  // The first key at or after `probe`, when it can be read.
  const auto readable_from = [&](std::uint64_t probe) -> std::optional<Line> {
    const auto at = iterate();
    at->Seek(slice(line_key(Line{probe})));
    if (at->Valid()) return line_of(*at);
    if (at->status().ok()) return after(end);
    return std::nullopt;
  };
  std::uint64_t low = raw(bad);  // cannot be read
  std::uint64_t high = raw(end) + 1;
  Line found = after(end);
  // Strides that double find the near end of a small hole in a long log.
  for (std::uint64_t stride = 1; low + stride < high; stride *= 2) {
    const auto first = readable_from(low + stride);
    if (first) {
      high = low + stride;
      found = *first;
      break;
    }
    low += stride;
  }
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    const auto first = readable_from(middle);
    (first ? high : low) = middle;
    if (first) found = *first;
  }
  return std::min(before(found), end);
}

Error RocksLog::unreadable(const rocksdb::Iterator& at, Line line, Line end) const {
  // A table that is gone is damage too.
  if (!at.status().IsCorruption() && !at.status().IsPathNotFound()) {
    return Error{Code::kUnavailable, "line " + std::to_string(raw(line)) +
                                         " cannot be read: " + at.status().ToString()};
  }
  return damaged({line, last_unreadable(line, end)}, at.status().ToString());
}

Result<BlockHeader> RocksLog::header_at(const rocksdb::Iterator& at) const {
  const auto key = line_of(at);
  if (!key) return Error{Code::kCorruption, "a key of the log is not a line"};
  auto header = decode_block_header(view(at.value()));
  if (header && header.value().first == *key) return header;
  // How many lines are in it only the next block can tell.
  const auto next = iterate();
  next->Seek(slice(line_key(after(*key))));
  const auto next_line = next->Valid() ? line_of(*next) : std::nullopt;
  return damaged({*key, next_line ? before(*next_line) : *key},
                 header ? "the block is of other lines" : header.error().message);
}

Result<Unit> RocksLog::follows_closed(const ClosedEnd& closed) const {
  const auto first = after(closed.last);
  const auto at = iterate();
  at->Seek(slice(line_key(first)));
  if (!at->Valid()) {
    if (!at->status().ok()) return unreadable(*at, first, first);
    return missing({first, first});
  }
  const auto header = header_at(*at);
  if (!header) return header.error();
  if (header.value().first != first) return missing({first, before(header.value().first)});
  if (header.value().previous != closed.block) {
    return damaged({first, header.value().last()},
                   "the first block does not follow the segment before it");
  }
  return Unit{};
}

Result<Tail> RocksLog::tail(const std::optional<ClosedEnd>& closed) const {
  const auto at = iterate();
  at->SeekToLast();
  if (!at->Valid()) {
    if (at->status().ok() && closed) return missing({after(closed->last), after(closed->last)});
    if (at->status().ok()) return Tail{};
    return Error{Code::kCorruption, "the last lines cannot be read: " + at->status().ToString()};
  }
  const auto header = header_at(*at);
  if (!header) return header.error();
  const auto& last = header.value();
  const auto decoded = decode_block(view(at->value()));
  if (!decoded) return damaged({last.first, last.last()}, decoded.error().message);
  const Tail tail{last.last(), last.recorded_at, block_digest(view(at->value()))};
  if (closed) {
    const auto follows = follows_closed(*closed);
    if (!follows) return follows.error();
    if (after(closed->last) == last.first) return tail;
  }
  at->Prev();
  if (!at->Valid()) {
    if (!at->status().ok()) return unreadable(*at, before(last.first), before(last.first));
    if (last.first != Line{1}) return missing({Line{1}, before(last.first)});
    return tail;
  }
  const auto previous = header_at(*at);
  if (!previous) return previous.error();
  if (after(previous.value().last()) != last.first) {
    return missing({after(previous.value().last()), before(last.first)});
  }
  if (block_digest(view(at->value())) != last.previous) {
    return damaged({previous.value().first, last.last()},
                   "the last block does not follow the one before it");
  }
  return tail;
}

Line RocksLog::end() const {
  const auto at = iterate();
  at->SeekToLast();
  if (!at->Valid()) return Line{0};
  const auto key = line_of(*at);
  if (!key) return Line{0};
  const auto header = decode_block_header(view(at->value()));
  return header && header.value().first == *key ? header.value().last() : *key;
}

Result<Digest> RocksLog::digest_of(Line last) const {
  const auto at = iterate();
  at->SeekForPrev(slice(line_key(last)));
  if (!at->Valid()) {
    if (!at->status().ok()) return unreadable(*at, last, last);
    return missing({last, last});
  }
  const auto header = header_at(*at);
  if (!header) return header.error();
  if (header.value().last() != last) {
    return damaged({header.value().first, header.value().last()},
                   "a block ended with line " + std::to_string(raw(last)));
  }
  return block_digest(view(at->value()));
}

Result<Unit> RocksLog::scan(Line from, Line end, const BlockFilter& filter,
                            const std::function<bool(Block&)>& visit) const {
  from = std::max(from, Line{1});
  const Line stop = std::min(end, filter.last);
  if (from > stop) return Unit{};
  const auto at = iterate();
  // Going back touches the block before the one that is found, so a scan that begins behind
  // damage only gets there by going forward.
  at->Seek(slice(line_key(from)));
  if (!at->Valid() || line_of(*at) != from) {
    at->SeekForPrev(slice(line_key(from)));
    if (!at->Valid() && at->status().ok()) at->SeekToFirst();
  }
  Line next = from;                   // what comes now must hold it
  std::optional<Digest> last_digest;  // of the block before, when it was visited
  for (; at->Valid(); at->Next()) {
    const auto header = header_at(*at);
    if (!header) return header.error();
    const auto& head = header.value();
    if (head.last() < next) {  // Only at the start, where the block that would hold it is gone.
      continue;
    }
    if (head.first > next) return missing({next, before(head.first)});
    if (last_digest && *last_digest != head.previous) {
      return damaged({head.first, head.last()}, "the block does not follow the one before it");
    }
    next = after(head.last());
    last_digest.reset();
    if (passes(filter, head.kinds, head.level, head.recorded_at)) {
      auto block = decode_block(view(at->value()));
      if (!block) return damaged({head.first, head.last()}, block.error().message);
      last_digest = block_digest(view(at->value()));
      leave_out(filter, block.value());
      if (!visit(block.value())) return Unit{};
    }
    if (next > stop) return Unit{};
  }
  if (!at->status().ok()) return unreadable(*at, next, end);
  return missing({next, stop});
}

Result<Unit> RocksLog::scan_back(Line from, const BlockFilter& filter,
                                 const std::function<bool(Block&)>& visit) const {
  const Line stop = std::max(filter.first, Line{1});
  if (from < stop) return Unit{};
  const auto at = iterate();
  at->SeekForPrev(slice(line_key(from)));
  Line next = from;                // what comes now must hold it
  std::optional<Digest> expected;  // of what comes now
  for (; at->Valid(); at->Prev()) {
    const auto header = header_at(*at);
    if (!header) return header.error();
    const auto& head = header.value();
    if (head.last() < next) return missing({after(head.last()), next});
    if (passes(filter, head.kinds, head.level, head.recorded_at)) {
      auto block = decode_block(view(at->value()));
      if (!block) return damaged({head.first, head.last()}, block.error().message);
      if (expected && *expected != block_digest(view(at->value()))) {
        return damaged({head.first, head.last()}, "the block after it follows another one");
      }
      leave_out(filter, block.value());
      if (!visit(block.value())) return Unit{};
    }
    expected = head.previous;
    if (head.first <= stop) return Unit{};
    next = before(head.first);
  }
  if (!at->status().ok()) {
    if (!at->status().IsCorruption() && !at->status().IsPathNotFound()) {
      return unreadable(*at, next, next);
    }
    // Where the damage begins cannot be told from behind, and the block next to it may be sound:
    // a scan() says exactly.
    return Error{Code::kCorruption, "lines up to " + std::to_string(raw(next)) +
                                        " cannot be read backwards: " + at->status().ToString()};
  }
  return missing({stop, next});
}

Result<Line> RocksLog::line_at(UtcTime time, Line begin, Line end) const {
  // Times never go back, so the blocks are sorted by them too, and need no index.
  Line low = begin;  // recorded at or before `time`, with all before it
  Line high = end;   // all behind it were recorded after `time`
  const auto at = iterate();
  Line probe = end;  // "Now" is what is mostly asked for.
  while (low < high) {
    at->SeekForPrev(slice(line_key(probe)));
    if (!at->Valid()) {
      if (!at->status().ok()) return unreadable(*at, probe, end);
      return missing({Line{1}, probe});
    }
    const auto header = header_at(*at);
    if (!header) return header.error();
    if (header.value().last() < probe) return missing({after(header.value().last()), probe});
    if (header.value().recorded_at <= time) {
      low = std::min(header.value().last(), high);
    } else {
      high = before(header.value().first);
    }
    probe = Line{raw(low) + (raw(high) - raw(low) + 1) / 2};
  }
  return low;
}

}  // namespace tidemark::journal
