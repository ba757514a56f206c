#include "journal/archive.h"

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "journal/base_state.h"
#include "journal/decimator.h"
#include "journal/expired_runs.h"
#include "journal/packed_value.h"

namespace tidemark::journal {
namespace {

/// Reads one channel's chunks, segment by segment.
struct Sealed {
  const ProjectionTable& table;
  const model::ChannelId channel;
  Line next;  // the first line wanted still: chunks of an earlier run may overlap
  const Line last;
  const std::function<bool(const ChunkHeader&)>& skim;
  const std::function<bool(const std::vector<Sample>&)>& visit;
  bool enough = false;

  Result<Unit> read(std::uint64_t segment);
  /// Calls `take` with the chunks of those keys that hold wanted lines, until it returns false.
  Result<Unit> scan(const Bytes& from, const Bytes& to,
                    const std::function<bool(const ChunkHeader&, BytesView)>& take) const;
  Result<Unit> unpack(BytesView chunk, std::vector<Sample>& into) const;
  /// With those of `quiet`, sorted, up to `through`.
  void give(std::vector<Sample>& samples, std::vector<Sample>& quiet, Line through);
};

Result<Unit> Sealed::scan(const Bytes& from, const Bytes& to,
                          const std::function<bool(const ChunkHeader&, BytesView)>& take) const {
  Result<Unit> result = Unit{};
  const auto scanned = table.scan(from, to, [&](BytesView, BytesView value) {
    value = unchecked(value);
    const auto header = decode_chunk_header(value);
    if (!header) {
      result = header.error();
      return false;
    }
    if (header.value().last < next || header.value().first > last) return true;
    return take(header.value(), value);
  });
  return scanned ? result : scanned;
}

Result<Unit> Sealed::unpack(BytesView chunk, std::vector<Sample>& into) const {
  const auto begin = into.size();
  const auto decoded = decode_chunk(chunk, into);
  if (!decoded) return decoded;
  const auto unwanted = [&](const Sample& each) {
    return each.update.channel != channel || each.line < next || each.line > last;
  };
  into.erase(
      std::remove_if(into.begin() + static_cast<std::ptrdiff_t>(begin), into.end(), unwanted),
      into.end());
  return Unit{};
}

void Sealed::give(std::vector<Sample>& samples, std::vector<Sample>& quiet, Line through) {
  const auto end = std::find_if(quiet.begin(), quiet.end(),
                                [&](const Sample& each) { return each.line > through; });
  if (end != quiet.begin()) {
    samples.insert(samples.end(), std::make_move_iterator(quiet.begin()),
                   std::make_move_iterator(end));
    quiet.erase(quiet.begin(), end);
    std::sort(samples.begin(), samples.end(),
              [](const Sample& a, const Sample& b) { return a.line < b.line; });
    const auto twice = std::unique(samples.begin(), samples.end(),
                                   [](auto& a, auto& b) { return a.line == b.line; });
    samples.erase(twice, samples.end());
  }
  std::erase_if(samples, [&](const Sample& each) { return each.line < next; });
  if (samples.empty()) return;
  next = Line{raw(samples.back().line) + 1};
  enough = !visit(samples);
}

Result<Unit> Sealed::read(std::uint64_t segment) {
  Result<Unit> result = Unit{};
  std::vector<Sample> quiet;
  const auto shard = raw(channel) / kQuietChannels;
  auto scanned = scan(quiet_key(segment, shard), quiet_key(segment, shard + 1),
                      [&](const ChunkHeader&, BytesView chunk) {
                        result = unpack(chunk, quiet);
                        return result.ok();
                      });
  if (!scanned || !result) return scanned ? result : scanned;
  // In a segment that was sealed in parts the channel may have been quiet in some of them.
  std::sort(quiet.begin(), quiet.end(),
            [](const Sample& a, const Sample& b) { return a.line < b.line; });
  std::vector<Sample> samples;
  scanned = scan(chunk_key(segment, raw(channel)), chunk_key(segment, raw(channel) + 1),
                 [&](const ChunkHeader& header, BytesView chunk) {
                   const bool whole = header.first >= next && header.last <= last;
                   if (quiet.empty() && whole && skim(header)) {
                     next = Line{raw(header.last) + 1};
                     return true;
                   }
                   samples.clear();
                   result = unpack(chunk, samples);
                   if (result) give(samples, quiet, header.last);
                   return result.ok() && !enough;
                 });
  if (!scanned || !result || enough) return scanned ? result : scanned;
  samples.clear();
  give(samples, quiet, last);
  return Unit{};
}

/// Whether a chunk with this key may hold one of `only`.
bool is_wanted(BytesView key, const std::vector<model::ChannelId>* only) {
  constexpr std::size_t kAtKind = 9;
  if (only == nullptr || key.size() < kAtKind + 5) return true;
  const auto number = read_be<std::uint32_t>(key, kAtKind + 1);
  const bool quiet = key[kAtKind] == 'g';
  const std::uint64_t begin = quiet ? std::uint64_t{number} * kQuietChannels : number;
  const auto end = begin + (quiet ? kQuietChannels : 1);
  const auto first = std::lower_bound(only->begin(), only->end(), begin,
                                      [](auto channel, auto from) { return raw(channel) < from; });
  return first != only->end() && raw(*first) < end;
}

/// The last connection of each channel, which brought what its IOC says of it.
using Connected =
    std::unordered_map<std::uint32_t, std::pair<Line, std::shared_ptr<const model::PvMeta>>>;

/// Of each channel the last value, the last word on its connection, and the last connection: all
/// that its state is made of. Chunks of one channel come in the order of their lines, but quiet and
/// busy ones do not.
void apply_last(MachineState& state, Connected& connected, const std::vector<Sample>& samples,
                Line after, Line to) {
  bool has_value = false;
  bool has_link = false;
  for (auto i = samples.size(); i-- > 0;) {
    const auto& [line, update] = samples[i];
    if (i + 1 < samples.size() && samples[i + 1].update.channel != update.channel) {
      has_value = has_link = false;
    }
    const bool is_value = update.event == model::PvUpdate::Event::kValue;
    if (line > to || line <= after) continue;
    if (update.event == model::PvUpdate::Event::kConnected) {
      auto& newest = connected[raw(update.channel)];
      if (newest.first < line) newest = {line, update.meta};
    }
    auto& has = is_value ? has_value : has_link;
    if (has) continue;
    has = true;
    const auto* row = state.find(update.channel);
    const bool known = row != nullptr && (is_value ? row->value_line : row->link_line) >= line;
    if (!known) state.apply(line, update);
  }
}

void set_metas(MachineState& state, const Connected& connected) {
  for (const auto& [number, newest] : connected) {
    const model::ChannelId channel{number};
    const auto* row = state.find(channel);
    if (row == nullptr) continue;  // the live table has no such channel
    auto with_meta = *row;
    with_meta.meta = newest.second;
    state.set(channel, std::move(with_meta));
  }
}

}  // namespace

Result<Unit> Archive::updates(
    Line from, Line to, const std::function<bool(Line, const model::PvUpdate&)>& visit) const {
  if (from > to) return Unit{};
  BlockFilter filter;
  filter.kinds = kUpdateKinds;
  filter.last = to;
  Result<Unit> result = Unit{};
  const auto scanned = projections_->store().scan(from, filter, [&](Block& block) {
    auto line = raw(block.first);
    for (const auto& section : block.sections) {
      const auto first = line;
      line += section.count;
      if (section.format != SectionFormat::kUpdates || line <= raw(from)) continue;
      const auto decoded = model::decode_updates(section.payload);
      if (!decoded) {
        result = decoded.error();
        return false;
      }
      for (std::size_t i = 0; i < decoded.value().size(); ++i) {
        const Line at{first + i};
        if (at < from) continue;
        if (at > to || !visit(at, decoded.value()[i])) return false;
      }
    }
    return true;
  });
  return scanned ? result : scanned;
}

/// The lines after `after` up to `to`, which are sealed: the log may not have them any more.
Result<Unit> Archive::apply_chunks(Line after, Line to, const std::vector<model::ChannelId>* only,
                                   MachineState& state) const {
  const auto& segments = projections_->segments();
  Result<Unit> result = Unit{};
  std::vector<Sample> samples;
  Connected connected;
  const auto apply_chunk = [&](BytesView key, BytesView value) {
    if (!is_wanted(key, only)) return true;
    const auto chunk = unchecked(value);
    const auto header = decode_chunk_header(chunk);
    if (!header) {
      result = header.error();
      return false;
    }
    if (header.value().first > to || header.value().last <= after) return true;
    samples.clear();
    result = decode_chunk(chunk, samples);
    if (result) apply_last(state, connected, samples, after, to);
    return result.ok();
  };
  for (auto segment = segments.of(Line{raw(after) + 1}); segment <= segments.of(to); ++segment) {
    const auto scanned = projections_->table().scan(segment_chunks_key(segment),
                                                    chunks_mark_key(segment), apply_chunk);
    if (!scanned || !result) return scanned ? result : scanned;
  }
  set_metas(state, connected);
  return Unit{};
}

Result<MachineState> Archive::state_at(Line line, const std::vector<model::ChannelId>* only) const {
  const auto& store = projections_->store();
  while (true) {
    const auto runs = store.expired();
    const auto* run = runs->holding(RecordClass::kPvUpdates, line);
    if (run != nullptr && run->last != line) return expired_error(*run, line);
    auto state = state_from(line, only);
    // Had some expired meanwhile, they might be missing in it.
    if (store.expired() == runs) return state;
  }
}

Result<MachineState> Archive::seen_at(Line line, const std::vector<model::ChannelId>* only) const {
  while (true) {
    const auto runs = projections_->store().expired();
    const auto* run = runs->holding(RecordClass::kPvUpdates, line);
    if (run != nullptr && run->last != line) line = Line{raw(run->first) - 1};
    auto state = state_at(line, only);
    const bool expired = !state && state.error().code == Code::kNotFound;
    if (!expired) return state;  // Else it went meanwhile: once more.
  }
}

Result<MachineState> Archive::state_from(Line line,
                                         const std::vector<model::ChannelId>* only) const {
  const auto last = projections_->store().last();
  if (line > last) {
    return Error{Code::kInvalidArgument, "line " + std::to_string(raw(line)) +
                                             " is not there yet: the last is " +
                                             std::to_string(raw(last))};
  }
  MachineState state;
  Line from{0};
  if (line >= projections_->projected()) {
    std::tie(from, state) = projections_->state();
  }
  if (from == Line{0} || from > line) {
    state.clear();
    const auto keyframe = read_keyframe(projections_->table(), line, only, state);
    if (!keyframe) return keyframe.error();
    from = keyframe.value();
    for (std::uint32_t number = 0; number < state.size(); ++number) {
      const model::ChannelId channel{number};
      const auto* row = state.find(channel);
      if (row == nullptr || row->link_line == Line{0}) continue;
      auto with_meta = *row;
      with_meta.meta = projections_->meta_at(channel, from);
      state.set(channel, std::move(with_meta));
    }
  }
  const auto runs = projections_->store().expired();
  if (const auto* run = runs->ending(RecordClass::kPvUpdates, from, line)) {
    auto base = read_base_of(projections_->table(), *run, only);
    if (!base) return base.error();
    from = base.value().line;
    state = std::move(base.value().state);
  }
  const auto sealed = std::min(line, projections_->sealed());
  if (from < sealed) {
    const auto applied = apply_chunks(from, sealed, only, state);
    if (!applied) return applied.error();
    from = sealed;
  }
  const auto scanned =
      updates(Line{raw(from) + 1}, line, [&](Line at, const model::PvUpdate& update) {
        state.apply(at, update);
        return true;
      });
  if (!scanned) return scanned.error();
  return state;
}

Result<Unit> Archive::samples(model::ChannelId channel, Line from, Line to,
                              const std::function<bool(const std::vector<Sample>&)>& visit) const {
  return samples(
      channel, from, to, [](const ChunkHeader&) { return false; }, visit);
}

Result<Unit> Archive::samples(model::ChannelId channel, Line from, Line to,
                              const std::function<bool(const ChunkHeader&)>& skim,
                              const std::function<bool(const std::vector<Sample>&)>& visit) const {
  from = std::max(from, Line{1});
  to = std::min(to, projections_->store().last());
  if (from > to) return Unit{};
  // The head first: what is sealed meanwhile is then read from it, and not once more.
  const auto head = projections_->head_of(channel, from, to);
  const auto sealed = std::min(to, head.sealed);

  Sealed reader{projections_->table(), channel, from, sealed, skim, visit};
  const auto& segments = projections_->segments();
  const auto runs = projections_->store().expired();
  for (auto segment = segments.of(from); from <= sealed && segment <= segments.of(sealed);
       ++segment) {
    if (const auto* run = runs->holding(RecordClass::kPvUpdates, segments.begin(segment))) {
      segment = segments.of(run->last);
      continue;
    }
    const auto read = reader.read(segment);
    if (!read || reader.enough) return read;
  }
  if (!head.samples.empty() && !visit(head.samples)) return Unit{};

  const Line behind{std::max(raw(from), std::max(raw(head.projected), raw(head.sealed)) + 1)};
  std::vector<Sample> samples;
  std::size_t bytes = 0;
  bool more = true;
  const auto scanned = updates(behind, to, [&](Line at, const model::PvUpdate& update) {
    if (update.channel != channel) return true;
    samples.push_back({at, update});
    bytes += model::content_bytes(update.value);
    if (bytes < kChunkContentMax) return true;
    more = visit(samples);
    samples.clear();
    bytes = 0;
    return more;
  });
  if (!scanned) return scanned;
  if (more && !samples.empty()) visit(samples);
  return Unit{};
}

Result<std::vector<DecimatedRun>> Archive::decimated_runs(Line from, Line to) const {
  auto runs = load_decimated_runs(projections_->table());
  if (!runs) return runs.error();
  return touching(runs.value(), from, to);
}

Result<Unit> Archive::decimated(model::ChannelId channel, Line from, Line to,
                                const std::vector<DecimatedRun>& runs,
                                const std::function<void(const DecimatedRow&)>& visit) const {
  return visit_decimated(projections_->table(), projections_->segments(), runs, channel, from, to,
                         visit);
}

namespace {

/// The update that made a channel what it was, when its line has expired: what it hid is forgotten.
Sample last_word(model::ChannelId channel, const ChannelState& row) {
  Sample sample;
  sample.line = row.last_line();
  auto& update = sample.update;
  update.channel = channel;
  if (row.value_line == sample.line) {
    update.taken_at = row.taken_at;
    update.alarm = row.alarm;
    update.value = row.value;
  } else if (row.state == model::LiveState::kConnected && row.meta) {
    update.event = model::PvUpdate::Event::kConnected;
    update.meta = row.meta;
  } else {
    update.event = model::PvUpdate::Event::kDisconnected;
  }
  return sample;
}

}  // namespace

Result<Archive::Newest> Archive::newest(model::ChannelId channel, Line line, std::size_t count,
                                        std::size_t bytes_max) const {
  Newest newest;
  auto& found = newest.samples;
  std::size_t bytes = 0;  // of `found`
  auto to = std::min(line, projections_->store().last());
  while (to > Line{0} && found.size() < count && !newest.cut) {
    const std::vector<model::ChannelId> only{channel};
    // Where it changed last is known, so stretches without it cost nothing.
    const auto state = state_at(to, &only);
    if (!state && state.error().code == Code::kNotFound) break;  // expired
    if (!state) return state.error();
    const auto* row = state.value().find(channel);
    if (row == nullptr) break;
    to = row->last_line();
    const auto runs = projections_->store().expired();
    if (runs->holding(RecordClass::kPvUpdates, to) != nullptr) {
      found.push_back(last_word(channel, *row));
      break;
    }
    const auto& segments = projections_->segments();
    const auto from = segments.begin(segments.of(to));
    std::deque<Sample> last;  // of those that came, as many as are wanted still
    bool dropped = false;
    const auto read = samples(channel, from, to, [&](const std::vector<Sample>& more) {
      for (const auto& each : more) {
        last.push_back(each);
        bytes += model::content_bytes(each.update.value);
        while (last.size() > count - found.size() ||
               (bytes > bytes_max && last.size() + found.size() > 1)) {
          bytes -= model::content_bytes(last.front().update.value);
          last.pop_front();
          dropped = true;
        }
      }
      return true;
    });
    if (!read) return read.error();
    found.insert(found.end(), last.rbegin(), last.rend());
    newest.cut = dropped && found.size() < count;
    to = Line{raw(from) - 1};
  }
  return newest;
}

}  // namespace tidemark::journal
