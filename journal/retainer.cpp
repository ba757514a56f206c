#include "journal/retainer.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "journal/expiry.h"
#include "journal/segment_amounts.h"

namespace tidemark::journal {
namespace {

/// Files that hold other lines, too, are rewritten when so much of them is of no use.
constexpr std::uint64_t kRewriteBytes = 64u << 20;

constexpr std::array kExpiring = {RecordClass::kLogMessages, RecordClass::kKvEvents,
                                  RecordClass::kPvUpdates};

std::size_t index(RecordClass of) { return static_cast<std::size_t>(of); }

}  // namespace

Retainer::Retainer(std::shared_ptr<SegmentStore> store,
                   std::shared_ptr<const Projections> projections, RetainerOptions options)
    : store_(std::move(store)),
      projections_(std::move(projections)),
      archive_(projections_),
      options_(std::move(options)) {}

Result<bool> Retainer::step() {
  if (work_.empty()) {
    const auto now = steady_now();
    if (looked_ != SteadyTime{} && now - looked_ < options_.pause) return false;
    looked_ = now;
    const auto learnt = learn();
    if (!learnt) return learnt.error();
    const auto looked = look();
    if (!looked) return looked.error();
    publish();
    if (work_.empty()) return false;
  }
  const auto next = work_.front();
  work_.pop_front();
  const auto expired = expire(next.of, next.parts);
  if (!expired) {
    work_.clear();  // Its indices may be of no use; the next look finds it again.
    looked_ = {};
    return expired.error();
  }
  publish();
  return true;
}

/// Segments that were closed since.
Result<Unit> Retainer::learn() {
  const auto& table = store_->table();
  Result<Unit> result = Unit{};
  std::vector<SegmentHeader> headers;
  const auto scanned =
      table.scan(header_key(Line{raw(seen_) + 1}), "v", [&](BytesView, BytesView value) {
        auto header = decode_header(value);
        if (!header) {
          result = header.error();
          return false;
        }
        headers.push_back(std::move(header).value());
        return true;
      });
  if (!scanned || !result) return scanned ? result : scanned;
  for (const auto& header : headers) {
    seen_ = header.first;
    if (header.in_log) continue;  // It has no pieces that could go.
    const auto amounts = amounts_of(table, header);
    if (!amounts) return amounts.error();
    for (const auto of : kExpiring) learn(of, header, amounts.value()[index(of)]);
    now_.classes[index(RecordClass::kKept)].bytes += amounts.value()[index(RecordClass::kKept)];
  }
  return Unit{};
}

void Retainer::learn(RecordClass of, const SegmentHeader& header, std::uint64_t bytes) {
  const auto [first, last] = lines_of(of, header);
  if (store_->store().expired()->holding(of, first) != nullptr) return;
  parts_[index(of)].push_back({header.first, first, last, header.latest, bytes});
}

Result<std::vector<LineRange>> Retainer::pinned(bool open_too) const {
  const auto marks = projections_->marks().current();
  if (!marks) return marks.error();
  std::vector<LineRange> lines;
  const auto add = [&](const MarkFilter& filter) {
    for (const auto& mark : marks.value()->find(filter).marks) {
      if (!mark.begin) continue;  // From when on nobody knows.
      lines.push_back({mark.begin->line, mark.end ? mark.end->line : Line{~std::uint64_t{0}}});
    }
  };
  MarkFilter kept;
  kept.tag = kKeepTag;
  add(kept);
  MarkFilter open;
  open.open = true;
  if (open_too) add(open);
  return lines;
}

Result<Unit> Retainer::look() {
  const auto now = options_.clock();
  const auto pins = pinned(true);
  if (!pins) return pins.error();
  for (const auto of : kExpiring) {
    for (const auto& each :
         due(parts_[index(of)], options_.rules[index(of)], pins.value(), now, at_once(of))) {
      work_.push_back({of, each});
    }
  }
  // What is due anyway makes room, too.
  if (work_.empty() && options_.space && options_.free_min > 0) {
    const auto looked = look_at_disk(now);
    if (!looked) return looked;
  }
  return Unit{};
}

Result<Unit> Retainer::look_at_disk(UtcTime now) {
  const auto space = options_.space();
  if (!space) return space.error();
  const auto wanted =
      static_cast<std::uint64_t>(options_.free_min * static_cast<double>(space.value().total));
  now_.low = space.value().free < wanted;
  now_.missing = 0;
  if (!now_.low) return Unit{};
  const auto pins = pinned(false);
  if (!pins) return pins.error();
  const auto& parts = parts_[index(RecordClass::kPvUpdates)];
  now_.missing = wanted - space.value().free;
  for (const auto& each : due_for_room(parts, now_.missing, options_.watermark_kept, pins.value(),
                                       now, at_once(RecordClass::kPvUpdates))) {
    for (auto i = each.begin; i < each.end; ++i) {
      now_.missing -= std::min(now_.missing, parts[i].bytes);
    }
    work_.push_back({RecordClass::kPvUpdates, each});
  }
  return Unit{};
}

Result<Unit> Retainer::expire(RecordClass of, const DueParts& wanted) {
  auto& parts = parts_[index(of)];
  const auto begin = parts.begin() + static_cast<std::ptrdiff_t>(wanted.begin);
  const auto end = parts.begin() + static_cast<std::ptrdiff_t>(wanted.end);
  std::vector<SegmentHeader> headers;
  for (auto part = begin; part != end; ++part) {
    auto header = header_before(store_->table(), part->segment);
    if (!header) return header.error();
    TIDEMARK_CHECK(header.value() && header.value()->first == part->segment);
    headers.push_back(std::move(*header.value()));
  }
  const auto expiry = prepare_expiry(*store_, archive_, of, headers,
                                     std::string(to_string(wanted.reason)), options_.decimate);
  if (!expiry) return expiry.error();
  const auto expired = store_->expire(expiry.value());
  if (!expired) return expired.error();
  const auto& run = expiry.value().run;
  spdlog::info("journal: {} of {} lines {} to {} expired by {}, {} bytes", run.lines, to_string(of),
               raw(run.first), raw(run.last), to_string(wanted.reason), run.bytes);
  parts.erase(begin, end);
  const auto count = wanted.end - wanted.begin;
  for (auto& later : work_) {
    if (later.of != of) continue;
    later.parts.begin -= count;
    later.parts.end -= count;
  }
  ++now_.steps;
  if (wanted.reason == ExpiryReason::kWatermark) now_.watermark_bytes += run.bytes;
  auto& dropped = dropped_[index(of)];
  dropped += run.bytes;
  const bool last = work_.empty();
  if (dropped >= kRewriteBytes || (last && wanted.reason == ExpiryReason::kWatermark)) {
    store_->reclaim(of);
    dropped = 0;
  }
  return Unit{};
}

std::size_t Retainer::at_once(RecordClass of) const {
  const bool decimated = of == RecordClass::kPvUpdates && options_.decimate > Duration{0};
  return decimated ? kDecimatedPartsAtOnce : kPartsAtOnce;
}

void Retainer::publish() {
  // When they cannot be read, decimate() says so.
  if (const auto decimated = decimated_figures(store_->table())) {
    now_.decimated = decimated.value();
  }
  const auto runs = store_->store().expired();
  for (const auto of : kExpiring) {
    auto& figures = now_.classes[index(of)];
    figures = figures_of(*runs, of);
    for (const auto& part : parts_[index(of)]) figures.bytes += part.bytes;
  }
  ++now_.looks;
  const std::lock_guard lock(mutex_);
  told_ = now_;
}

RetentionFigures Retainer::figures() const {
  const std::lock_guard lock(mutex_);
  return told_;
}

}  // namespace tidemark::journal
