// test/journal/decimated_test.cpp
//
// What is left of updates that expired, against a list of all that was ever written: random
// updates, of which random stretches expire in random order, reopened and made anew at random
// moments. The rows are those of the list, whatever came first; no extremum and no alarm is lost in
// bins.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "journal/decimated_check.h"
#include "journal/decimator.h"
#include "journal/expiry.h"
#include "journal/reduce.h"
#include "journal/rocks_store.h"
#include "journal/thinner.h"
#include "pv_samples.h"

namespace tidemark::journal {
namespace {

using namespace std::chrono_literals;
using model::PvUpdate;

constexpr std::uint32_t kDecimatedTestChannels = 5;

ProjectionLimits decimated_test_limits() {
  ProjectionLimits limits;
  limits.segments.length = 48;
  limits.keyframe_lines_per_channel = 9;
  limits.head_bytes_max = 4000;  // so that some segments are sealed in parts
  return limits;
}

/// Sums are rounded in the order in which they are added.
bool nearly(double a, double b, double size) {
  if (std::isnan(a) || std::isnan(b) || std::isinf(a) || std::isinf(b)) return true;
  return size > 1e150 || std::abs(a - b) <= 1e-9 * size;
}

/// A row as somebody would make it who has all updates before him, by line.
DecimatedRow naive_row(const std::vector<std::pair<Sample, UtcTime>>& samples) {
  DecimatedRow row;
  std::vector<double> numbers;
  for (const auto& [sample, time] : samples) {
    const auto& [line, update] = sample;
    if (row.samples++ == 0) {
      row.first = line;
      row.earliest = row.latest = time;
    }
    row.last = line;
    row.earliest = std::min(row.earliest, time);
    row.latest = std::max(row.latest, time);
    row.disconnected |= update.event == PvUpdate::Event::kDisconnected;
    if (update.event != PvUpdate::Event::kValue) continue;
    row.worst = std::max(row.worst, update.alarm.severity);
    const auto number = model::as_number(update.value);
    if (!number || std::isnan(*number)) continue;
    if (numbers.empty()) row.numbers.first_line = line;
    row.numbers.last_line = line;
    numbers.push_back(*number);
  }
  if (numbers.empty()) return row;
  row.numbers.count = numbers.size();
  row.numbers.first = numbers.front();
  row.numbers.last = numbers.back();
  row.numbers.min = *std::min_element(numbers.begin(), numbers.end());
  row.numbers.max = *std::max_element(numbers.begin(), numbers.end());
  for (const auto number : numbers) row.numbers.sum += number;
  const auto mean = row.numbers.sum / static_cast<double>(numbers.size());
  for (const auto number : numbers) row.numbers.spread += (number - mean) * (number - mean);
  return row;
}

void expect_row(const DecimatedRow& found, const DecimatedRow& wanted) {
  RC_ASSERT(found.samples == wanted.samples);
  RC_ASSERT(found.first == wanted.first);
  RC_ASSERT(found.last == wanted.last);
  RC_ASSERT(found.earliest == wanted.earliest);
  RC_ASSERT(found.latest == wanted.latest);
  RC_ASSERT(found.worst == wanted.worst);
  RC_ASSERT(found.disconnected == wanted.disconnected);
  const auto& a = found.numbers;
  const auto& b = wanted.numbers;
  RC_ASSERT(a.count == b.count);
  if (a.count == 0) return;
  RC_ASSERT(a.first_line == b.first_line);
  RC_ASSERT(a.last_line == b.last_line);
  RC_ASSERT(a.first == b.first);
  RC_ASSERT(a.last == b.last);
  RC_ASSERT(a.min == b.min);
  RC_ASSERT(a.max == b.max);
  const auto size = std::max(std::abs(a.min), std::abs(a.max)) * static_cast<double>(a.count);
  RC_ASSERT(nearly(a.sum, b.sum, size));
  RC_ASSERT(nearly(a.spread, b.spread, size * size));
}

class DecimatedPast {
 public:
  DecimatedPast() { open(); }

  void append() {
    std::vector<PvUpdate> updates(*rc::gen::element<std::size_t>(1, 20, 48, 100));
    auto line = raw(journal_.store->last());
    const auto channels = *rc::gen::element<std::uint32_t>(1, kDecimatedTestChannels);
    for (auto& update : updates) {
      update = *any_update(channels);
      // Of the other shard of rows; and a clock that nobody has set, or that runs away.
      if (raw(update.channel) == 2) update.channel = model::ChannelId{kDecimatedChannels + 2};
      if (*rc::gen::inRange(0, 15) == 0) update.taken_at = UtcTime{};
      if (*rc::gen::inRange(0, 15) == 0) update.taken_at = at_second(0) + 24h * 400;
      updates_[Line{++line}] = update;
    }
    RC_ASSERT(append_one(*journal_.store, section_of(updates, sequence_)).ok());
    sequence_ += updates.size();
    now_ += std::chrono::seconds(*rc::gen::inRange(0, 400));
  }
  void settle() {
    while (projections_->advance(1000).value()) {
    }
    while (thinner_->step().value()) {
    }
  }
  void open() {
    thinner_.reset();
    projections_.reset();
    journal_ = {};
    RocksStoreOptions options;
    options.directory = dir_.path();
    options.sync = SyncMode::kInterval;  // nothing here is about power
    options.clock = [this] { return now_; };
    auto opened = open_rocks_journal(options);
    RC_ASSERT(opened.ok());
    journal_ = std::move(opened).value();
    project_anew();
  }
  void clear() {
    thinner_.reset();
    projections_.reset();
    RC_ASSERT(journal_.projections->clear().ok());
    project_anew();
  }

  /// Some closed segments in a row, which have their updates still.
  void expire() {
    std::vector<std::vector<SegmentHeader>> stretches(1);
    const auto expired = journal_.store->expired();
    RC_ASSERT(journal_.segments->table()
                  .scan("u", "v",
                        [&](BytesView, BytesView value) {
                          const auto header = decode_header(value).value();
                          const auto first = lines_of(RecordClass::kPvUpdates, header).first;
                          const bool there = !expired->holding(RecordClass::kPvUpdates, first);
                          if (there && !header.in_log) stretches.back().push_back(header);
                          if (!there && !stretches.back().empty()) stretches.emplace_back();
                          return true;
                        })
                  .ok());
    const auto stretch = *rc::gen::elementOf(stretches);
    if (stretch.empty()) return;
    const auto begin = *rc::gen::inRange<std::size_t>(0, stretch.size());
    const auto count = *rc::gen::inRange<std::size_t>(1, stretch.size() - begin + 1);
    const std::vector<SegmentHeader> headers(
        stretch.begin() + static_cast<std::ptrdiff_t>(begin),
        stretch.begin() + static_cast<std::ptrdiff_t>(begin + count));
    const auto width = *rc::gen::element<Duration>(600s, 600s, 600s, 60s, 0s);
    const auto expiry = prepare_expiry(*journal_.segments, Archive(projections_),
                                       RecordClass::kPvUpdates, headers, "age", width);
    RC_ASSERT(expiry.ok());
    RC_ASSERT(journal_.segments->expire(expiry.value()).ok());
    for (const auto& header : headers) remember(header, width);
    ++expired_;
  }

  void ask() const {
    const auto faults = check_decimated(*journal_.projections, *journal_.store->expired());
    RC_ASSERT(faults.ok());
    for (const auto& each : faults.value().faults) RC_LOG() << each << "\n";
    RC_ASSERT(faults.value().faults.empty());
    const Line last = journal_.store->last();
    std::uint64_t samples = 0;
    for (const auto channel : channels()) samples += ask_rows(channel, Line{1}, last);
    RC_ASSERT(faults.value().samples == samples);
    for (int i = 0; i < 3; ++i) {
      const Line from{*rc::gen::inRange<std::uint64_t>(1, raw(last) + 2)};
      const Line to{*rc::gen::inRange<std::uint64_t>(raw(from), raw(last) + 2)};
      ask_bins(*rc::gen::elementOf(channels()), from, to);
    }
    // All of it in one bin: nothing is lost.
    for (const auto channel : channels()) ask_bins(channel, Line{1}, last);
  }
  std::uint64_t expired() const { return expired_; }

 private:
  struct Gone {
    Duration width{};  // 0: without rows
    UtcTime time{};    // that it counts under
  };
  using RowKey = std::pair<Duration, std::int64_t>;  // of one channel

  void remember(const SegmentHeader& header, Duration width) {
    const auto [first, last] = lines_of(RecordClass::kPvUpdates, header);
    for (auto at = updates_.lower_bound(first); at != updates_.end() && at->first <= last; ++at) {
      auto time = at->second.taken_at;
      if (time < header.earliest - 24h || time > header.latest + 24h) time = header.earliest;
      gone_[at->first] = {width, time};
    }
  }
  static std::vector<model::ChannelId> channels() {
    std::vector<model::ChannelId> all;
    for (std::uint32_t number = 1; number <= kDecimatedTestChannels; ++number) {
      all.emplace_back(model::ChannelId{number == 2 ? kDecimatedChannels + 2 : number});
    }
    return all;
  }
  std::map<RowKey, DecimatedRow> naive_rows(model::ChannelId channel) const {
    std::map<RowKey, std::vector<std::pair<Sample, UtcTime>>> samples;
    for (const auto& [line, gone] : gone_) {
      const auto& update = updates_.at(line);
      if (update.channel != channel || gone.width == Duration{0}) continue;
      samples[{gone.width, bin_of(gone.time, gone.width)}].push_back({{line, update}, gone.time});
    }
    std::map<RowKey, DecimatedRow> rows;
    for (const auto& [key, each] : samples) rows.emplace(key, naive_row(each));
    return rows;
  }
  /// Answers how many updates are in them.
  std::uint64_t ask_rows(model::ChannelId channel, Line from, Line to) const {
    const Archive archive(projections_);
    const auto runs = archive.decimated_runs(from, to).value();
    auto wanted = naive_rows(channel);
    std::uint64_t samples = 0;
    for (const auto width : {60s, 600s}) {
      std::vector<DecimatedRun> of_width;
      for (const auto& run : runs) {
        if (run.width == width) of_width.push_back(run);
      }
      RC_ASSERT(
          archive
              .decimated(channel, from, to, of_width,
                         [&](const DecimatedRow& row) {
                           const auto found = wanted.find({width, bin_of(row.earliest, width)});
                           RC_ASSERT(found != wanted.end());
                           expect_row(row, found->second);
                           samples += row.samples;
                           wanted.erase(found);
                         })
              .ok());
    }
    RC_ASSERT(wanted.empty());
    return samples;
  }
  void ask_bins(model::ChannelId channel, Line from, Line to) const {
    Reduction asked;
    asked.from = from;
    asked.to = to;
    asked.begin = at_second(*rc::gen::inRange(-2000, 0));
    asked.end = at_second(*rc::gen::inRange(1, 4000));
    asked.bins = *rc::gen::inRange<std::uint32_t>(1, 12);
    asked.outside = *rc::gen::arbitrary<bool>();
    const auto found = reduce(Archive(projections_), channel, asked);
    if (!found) RC_LOG() << found.error().message << "\n";
    RC_ASSERT(found.ok());
    std::map<UtcTime, DecimatedRow> wanted;
    std::set<UtcTime> decimated;
    const auto put = [&](const DecimatedRow& row) -> std::optional<UtcTime> {
      if (!asked.outside && (row.latest <= asked.begin || row.earliest > asked.end)) return {};
      auto bin = row.earliest <= asked.begin ? 0 : (row.earliest - asked.begin) / bin_width(asked);
      bin = std::min<std::int64_t>(bin, asked.bins - 1);
      const auto at = asked.begin + bin_width(asked) * bin;
      add(row, wanted[at]);
      return at;
    };
    for (const auto& [line, update] : updates_) {
      if (line < from || line > to || update.channel != channel || gone_.contains(line)) continue;
      put(row_of(line, update, update.taken_at));
    }
    std::set<Duration> widths;
    for (const auto& run : found.value().decimated) {
      RC_ASSERT(run.first <= to && run.last >= from);
      widths.insert(run.width);
    }
    for (const auto& [key, row] : naive_rows(channel)) {
      if (!widths.contains(key.first) || row.last < from || row.first > to) continue;
      if (const auto at = put(row)) decimated.insert(*at);
    }
    RC_ASSERT(found.value().bins.size() == wanted.size());
    for (const auto& bin : found.value().bins) {
      RC_ASSERT(wanted.contains(bin.begin));
      const auto& row = wanted[bin.begin];
      RC_ASSERT(bin.samples == row.samples);
      RC_ASSERT(bin.count == row.numbers.count);
      RC_ASSERT(bin.worst == row.worst);
      RC_ASSERT(bin.disconnected == row.disconnected);
      RC_ASSERT(bin.decimated_until.has_value() == decimated.contains(bin.begin));
      if (bin.count == 0) continue;
      RC_ASSERT(bin.min == row.numbers.min);
      RC_ASSERT(bin.max == row.numbers.max);
      RC_ASSERT(bin.first == row.numbers.first);
      RC_ASSERT(bin.last == row.numbers.last);
      const auto size = std::max(std::abs(bin.min), std::abs(bin.max));
      RC_ASSERT(nearly(bin.mean, row.numbers.sum / bin.count, size));
    }
  }
  void project_anew() {
    projections_ = std::make_shared<Projections>(journal_.store, journal_.projections,
                                                 decimated_test_limits());
    RC_ASSERT(projections_->load().ok());
    ThinnerLimits soon;
    soon.raw_segments_kept = 1;
    soon.segments_at_once = 1;
    thinner_ = std::make_unique<Thinner>(journal_.segments, projections_, soon);
  }

  TempDir dir_;
  UtcTime now_ = at_second(0);
  std::uint64_t sequence_ = 1;
  RocksJournal journal_;
  std::shared_ptr<Projections> projections_;
  std::unique_ptr<Thinner> thinner_;
  std::map<Line, PvUpdate> updates_;
  std::map<Line, Gone> gone_;
  std::uint64_t expired_ = 0;
};

RC_GTEST_PROP(Decimated, LosesNoExtremumNoAlarmAndNoUpdateInWhateverOrder, ()) {
  DecimatedPast past;
  for (int i = 0; i < 8; ++i) past.append();
  const auto steps = *rc::gen::inRange(0, 30);
  for (int i = 0; i < steps; ++i) {
    switch (*rc::gen::element(0, 1, 2, 3, 4, 4, 4, 5, 5, 5)) {
      case 0: past.open(); break;
      case 1: past.clear(); break;
      case 2: past.ask(); break;
      case 3: past.settle(); break;
      case 4:
        past.settle();
        past.expire();
        break;
      default: past.append();
    }
  }
  past.settle();
  past.expire();
  past.ask();
  past.open();
  past.ask();
  RC_CLASSIFY(past.expired() > 1);
}

rc::Gen<DecimatedRow> any_row() {
  return rc::gen::exec([] {
    DecimatedRow row;
    const auto updates = *rc::gen::inRange(1, 6);
    for (int i = 0; i < updates; ++i) {
      const auto update = *any_update(1);
      const Line line{*rc::gen::inRange<std::uint64_t>(1, ~std::uint64_t{0})};
      add(row_of(line, update, UtcTime{Duration{*rc::gen::arbitrary<std::int64_t>()}}), row);
    }
    return row;
  });
}

RC_GTEST_PROP(DecimatedRows, ComeBackBitByBit, ()) {
  const auto shard = *rc::gen::element<std::uint32_t>(0, 7, ~std::uint32_t{0} / kDecimatedChannels);
  std::vector<ChannelRow> rows;
  for (std::uint32_t i = 0; i < kDecimatedChannels; ++i) {
    if (*rc::gen::inRange(0, 3) > 0 && !(rows.empty() && i + 1 == kDecimatedChannels)) continue;
    rows.push_back({model::ChannelId{shard * kDecimatedChannels + i}, *any_row()});
  }
  const auto bytes = encode_rows(rows);
  const auto again = decode_rows(bytes, shard);
  RC_ASSERT(again.ok());
  RC_ASSERT(encode_rows(again.value()) == bytes);
  RC_ASSERT(again.value().size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    RC_ASSERT(again.value()[i].channel == rows[i].channel);
    expect_row(again.value()[i].row, rows[i].row);
  }
  // One flipped bit is found.
  auto damaged = bytes;
  const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  damaged[at] = static_cast<char>(damaged[at] ^ (1 << *rc::gen::inRange(0, 8)));
  RC_ASSERT(decode_rows(damaged, shard).error().code == Code::kCorruption);
}

TEST(DecimatedRows, HaveTheBytesOfTheFormatPage) {
  auto row = row_of(Line{4711}, value_of(7, 20.3), at_second(0));
  add(row_of(Line{4715}, value_of(7, -7.7), at_second(30)), row);
  add(row_of(Line{4720}, value_of(7, 3.9), at_second(60)), row);
  const auto bytes = encode_rows({{model::ChannelId{7}, row}});
  std::string text;
  for (const auto each : bytes) {
    char hex[4];
    std::snprintf(hex, sizeof hex, "%02x ", static_cast<unsigned char>(each));
    text += hex;
  }
  EXPECT_EQ(text,
            "01 01 00 0e 00 06 00 00 00 ce 49 00 12 00 80 80 d0 e2 c6 bf ce 97 2f 00 80 "
            "e0 ba 84 bf 03 00 00 00 00 00 00 00 cd fe 00 00 cd 3d cc ff 00 00 cc 0a cc "
            "ff 00 00 cc d7 cc ff 00 00 cc a3 cc ff 00 00 cc 70 4c 7f 80 00 cc bd 34 3b "
            "2a 00 04 78 40 00 80 00 00 40 9b 08 77 8d ");
  DecimatedRun run{1h, Line{1}, Line{524'288}, at_second(0), at_second(3600), 500'000, 4711};
  const auto [key, value] = encode_decimated_run(run);
  EXPECT_EQ(decode_decimated_run(key, value).value(), run);
}

}  // namespace
}  // namespace tidemark::journal
