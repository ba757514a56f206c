#include "journal/thinner.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "journal/section_maker.h"
#include "journal/segment_amounts.h"

namespace tidemark::journal {
namespace {

constexpr std::size_t kPutBytes = 4u << 20;  // of pieces, to be written at once

std::string lines(const SegmentHeader& header) {
  return "lines " + std::to_string(raw(header.first)) + " to " + std::to_string(raw(header.last));
}

/// Whether the origin's bytes and ours say the same, to the bit.
bool same_updates(const Bytes& sent, const Bytes& made) {
  if (sent == made) return true;
  const auto updates = model::decode_updates(sent);
  return updates && model::encode_updates(updates.value()) == made;
}

bool same_but_content(const Section& a, const Section& b) {
  return a.origin == b.origin && a.incarnation == b.incarnation && a.sequence == b.sequence &&
         a.count == b.count && a.format == b.format && a.sent_at == b.sent_at;
}

bool same_but_content(const Block& block, const BlockBones& bones) {
  return block.first == bones.first && block.count == bones.count &&
         block.recorded_at == bones.recorded_at && block.kinds == bones.kinds &&
         block.level == bones.level &&
         block.sections.size() == bones.sections_end - bones.sections_begin;
}

}  // namespace

Thinner::Thinner(std::shared_ptr<SegmentStore> store,
                 std::shared_ptr<const Projections> projections, ThinnerLimits limits)
    : store_(std::move(store)), projections_(std::move(projections)), limits_(limits) {}

Result<bool> Thinner::step() {
  const auto before = last_header(store_->table());
  if (!before) return before.error();
  SegmentHeader header;
  header.length = projections_->segments().length;
  header.first = Line{1};
  if (before.value()) {
    header.first = Line{raw(before.value()->last) + 1};
    header.previous = digest(encode_header(*before.value()));
    if (before.value()->length != header.length) {
      return Error{Code::kInvalidArgument, "the journal has segments of " +
                                               std::to_string(before.value()->length) + " lines"};
    }
  }
  const auto due = is_due(header.first);
  if (!due || !due.value()) return due;
  return close(header);
}

Result<bool> Thinner::is_due(Line first) {
  const auto& segments = projections_->segments();
  const auto segment = segments.of(first);
  const auto newest = segments.of(store_->store().last());
  if (newest < segment + 1 + limits_.raw_segments_kept) return false;
  // Its last block goes on in the next one, as a rule.
  const auto needed = std::max(needed_, segments.end(segment + 1));
  if (flushed_ < needed) {
    if (newest < segment + limits_.segments_at_once + limits_.raw_segments_kept) return false;
    const auto sealed = projections_->sealed();
    if (sealed < needed) return false;
    const auto flushed = store_->flush_chunks();
    if (!flushed) return flushed.error();
    flushed_ = sealed;
  }
  return true;
}

Result<bool> Thinner::close(SegmentHeader header) {
  const auto& segments = projections_->segments();
  const auto bare = header;
  SegmentBuilder first_try;
  auto built = build(header, first_try);
  if (!built) return built.error();
  if (header.last >= store_->store().last()) return false;  // the last block stays in the log
  needed_ = segments.end(segments.of(header.last));
  if (needed_ > flushed_) return false;
  auto differences = compare(header);
  if (!differences) return differences.error();
  if (differences.value().why.empty() && !differences.value().updates.empty()) {
    header = bare;
    SegmentBuilder second_try(std::move(differences.value().updates));
    built = build(header, second_try);
    if (!built) return built.error();
    differences = compare(header);
    if (!differences) return differences.error();
    if (!differences.value().updates.empty()) differences.value().why = "updates";
  }
  const auto block = store_->block_digest(header.last);
  if (!block) return block.error();
  header.block = block.value();
  header.in_log = !differences.value().why.empty();
  if (header.in_log) {
    spdlog::error("journal: {} do not read back as they were ({}): their blocks are kept",
                  lines(header), differences.value().why);
    header.skeleton = {};
    header.records = {};
    header.frames = {};
    ++in_log_;
  } else {
    const auto chunks = digest_of_chunks(store_->table(), header);
    if (!chunks) return chunks.error();
    header.chunks = chunks.value();
    const auto amounts = measure(store_->table(), header);
    if (!amounts) return amounts.error();
    const auto put = store_->put({encode_amounts(header.first, amounts.value())});
    if (!put) return put.error();
  }
  const auto closed = store_->close(header);
  if (!closed) return closed.error();
  ++closed_;
  return true;
}

/// Takes the blocks that begin in the segment apart, and writes their pieces.
Result<Unit> Thinner::build(SegmentHeader& header, SegmentBuilder& builder) {
  const auto& segments = projections_->segments();
  BlockFilter filter;
  filter.last = segments.end(segments.of(header.first));
  Result<Unit> put = Unit{};
  const auto scanned = store_->store().scan(header.first, filter, [&](Block& block) {
    builder.add(block);
    const auto full = builder.take_full(kPutBytes);
    if (!full.empty()) put = store_->put(full);
    return put.ok();
  });
  if (!scanned || !put) return scanned ? put : scanned;
  TIDEMARK_CHECK(!builder.empty());
  return store_->put(builder.finish(header));
}

Result<Thinner::Differences> Thinner::compare(const SegmentHeader& header) {
  Differences differences;
  const auto& table = store_->table();
  const auto skeleton = SegmentReader(table).skeleton(header);
  if (!skeleton) {
    if (skeleton.error().code != Code::kCorruption) return skeleton.error();
    differences.why = skeleton.error().message;
    return differences;
  }
  SegmentRowsCache rows;
  SectionMaker maker(table, rows, header);
  std::optional<Error> failure;
  auto bones = skeleton.value().blocks.begin();
  const auto differ = [&](std::string why) {
    differences.why = std::move(why);
    return false;
  };
  BlockFilter filter;
  filter.last = header.last;
  const auto scanned = store_->store().scan(header.first, filter, [&](Block& block) {
    if (bones == skeleton.value().blocks.end() || !same_but_content(block, *bones)) {
      return differ("a block at line " + std::to_string(raw(block.first)));
    }
    auto line = raw(block.first);
    for (std::size_t i = 0; i < block.sections.size(); ++i) {
      const auto& sent = block.sections[i];
      const Line first{line};
      line += sent.count;
      const auto made = maker.make(skeleton.value().sections[bones->sections_begin + i], first);
      if (!made && made.error().code != Code::kCorruption) {
        failure = made.error();
        return false;
      }
      if (made && same_but_content(sent, made.value()) &&
          (sent.format == SectionFormat::kUpdates ? same_updates(sent.payload, made.value().payload)
                                                  : sent.payload == made.value().payload)) {
        continue;
      }
      if (sent.format != SectionFormat::kUpdates) {
        return differ(made ? "records at line " + std::to_string(raw(first))
                           : made.error().message);
      }
      differences.updates.insert(first);
    }
    ++bones;
    return true;
  });
  if (failure) return *failure;
  if (!scanned) return scanned.error();
  if (differences.why.empty() && bones != skeleton.value().blocks.end()) {
    differences.why = "more blocks than there were";
  }
  return differences;
}

Result<Digest> digest_of_chunks(const ProjectionTable& table, const SegmentHeader& header) {
  const auto [begin, end] = header.chunk_segments();
  Digest all{};
  const auto scanned = table.scan(segment_chunks_key(begin), segment_chunks_key(end),
                                  [&](BytesView key, BytesView value) {
                                    if (key != chunks_mark_key(read_be<std::uint64_t>(key, 1)))
                                      all = next_digest(all, value);
                                    return true;
                                  });
  if (!scanned) return scanned.error();
  return all;
}

}  // namespace tidemark::journal
