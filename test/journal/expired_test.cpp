// test/journal/expired_test.cpp
//
// What has expired, against a list of all that was ever written: random histories of all kinds of
// records, of which random stretches of random classes are given up, reopened and made anew at
// random moments. Each line is what it was, or says that it expired, and only where it did; the
// state of the machine is exact wherever it is known.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "journal/check.h"
#include "journal/expiry.h"
#include "journal/memory_store.h"
#include "journal/rocks_store.h"
#include "journal/thinner.h"
#include "pv_samples.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;

constexpr std::uint32_t kChannels = 9;
const auto kGoOn = [](std::uint64_t) { return true; };

ProjectionLimits small_limits() {
  ProjectionLimits limits;
  limits.segments.length = 48;
  limits.keyframe_lines_per_channel = 9;
  return limits;
}

rc::Gen<model::Record> any_record() {
  return rc::gen::exec([]() -> model::Record {
    const auto text = *rc::gen::element<std::string>("", "beam lost", std::string(300, 'x'));
    switch (*rc::gen::inRange(0, 6)) {
      case 0: return model::JobProgress{Uuid::derive(text), 1, 2};
      case 1: return model::KvUpdate{"psu/" + text, {}, at_second(1), "ops", 7};
      case 2: {
        const auto mark = Uuid::derive(std::to_string(*rc::gen::arbitrary<std::uint64_t>()));
        return model::MarkBegin{mark, text, {}, "ops", {}, {}};
      }
      default: return message(text);
    }
  });
}

/// What a line says: the bytes of one record or update, by themselves.
struct Said {
  RecordClass of;
  Bytes bytes;
  std::optional<PvUpdate> update;
  bool whole = false;  // in a section that is kept byte for byte
  bool operator==(const Said& other) const { return of == other.of && bytes == other.bytes; }
};

/// By line; of those that expired only the class.
std::map<Line, Said> lines_of(const Store& store) {
  std::map<Line, Said> said;
  const auto scanned = store.scan(Line{1}, {}, [&](Block& block) {
    auto line = raw(block.first);
    for (const auto& section : block.sections) {
      const auto first = line;
      line += section.count;
      if (const auto of = expired_class(section)) {
        for (auto at = first; at < line; ++at) said[Line{at}] = {*of, {}, {}};
      } else if (section.format == SectionFormat::kUpdates) {
        const auto updates = model::decode_updates(section.payload).value();
        const bool foreign = std::any_of(updates.begin(), updates.end(), [](auto& each) {
          return raw(each.channel) > model::LiveTable::kChannelMax;
        });
        for (std::size_t i = 0; i < updates.size(); ++i) {
          said[Line{first + i}] = {RecordClass::kPvUpdates, model::encode_updates({updates[i]}),
                                   updates[i], foreign};
        }
      } else {
        const auto records = model::decode_records(section.payload).value();
        for (std::size_t i = 0; i < records.size(); ++i) {
          said[Line{first + i}] = {
              class_of(model::kind_of(records[i])), model::encode_records({records[i]}), {}};
        }
      }
    }
    RC_ASSERT(line == raw(block.first) + block.count);
    return true;
  });
  if (!scanned) RC_LOG() << scanned.error().message << "\n";
  RC_ASSERT(scanned.ok());
  return said;
}

class Twins {
 public:
  Twins() { open(); }

  void append() {
    std::vector<InspectedSection> sections;
    const auto pieces = *rc::gen::inRange(1, 4);
    for (int i = 0; i < pieces; ++i) sections.push_back(inspected(section()));
    RC_ASSERT(model_.append(sections).ok());
    RC_ASSERT(journal_.store->append(sections).ok());
    now_ += std::chrono::seconds(*rc::gen::inRange(0, 5));
  }
  void project() {
    RC_ASSERT(projections_->advance(static_cast<std::uint64_t>(*rc::gen::inRange(1, 90))).ok());
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
    if (!opened) RC_LOG() << opened.error().message << "\n";
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

  /// Some closed segments in a row lose a class that they have still.
  void expire() {
    const auto of = *rc::gen::element(RecordClass::kPvUpdates, RecordClass::kPvUpdates,
                                      RecordClass::kLogMessages, RecordClass::kKvEvents);
    std::vector<std::vector<SegmentHeader>> stretches(1);
    const auto& table = journal_.segments->table();
    RC_ASSERT(table
                  .scan("u", "v",
                        [&](BytesView, BytesView value) {
                          const auto header = decode_header(value).value();
                          const bool there = !journal_.store->expired()->holding(
                              of, journal::lines_of(of, header).first);
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
    const auto expiry =
        prepare_expiry(*journal_.segments, Archive(projections_), of, headers, "age");
    if (!expiry) RC_LOG() << expiry.error().message << "\n";
    RC_ASSERT(expiry.ok());
    const auto appended = journal_.segments->expire(expiry.value());
    RC_ASSERT(appended.ok());
    const auto& run = expiry.value().run;
    std::uint64_t lines = 0;
    for (const auto& [line, said] : lines_of(model_)) {
      if (said.of != of || said.whole || line < run.first || line > run.last) continue;
      gone_[of].insert(line);
      ++lines;
    }
    for (auto line = run.first; line <= run.last; line = Line{raw(line) + 1}) {
      if (of == RecordClass::kPvUpdates) unknown_.insert(line);
    }
    RC_ASSERT(run.lines == lines);
    // The line that says so.
    RC_ASSERT(appended.value().first == Line{raw(model_.last()) + 1});
    std::vector<InspectedSection> said;
    RC_ASSERT(journal_.store
                  ->scan(appended.value().first, {},
                         [&](Block& block) {
                           for (auto& each : block.sections) said.push_back(inspected(each));
                           return true;
                         })
                  .ok());
    const auto record = model::decode_records(said.front().section().payload).value().front();
    RC_ASSERT(std::get<model::Expired>(record).lines == lines);
    RC_ASSERT(model_.append(said).ok());
    ++expired_;
  }

  void ask() const {
    RC_ASSERT(journal_.store->last() == model_.last());
    const auto wanted = lines_of(model_);
    const auto found = lines_of(*journal_.store);
    RC_ASSERT(found.size() == wanted.size());
    for (const auto& [line, said] : found) {
      const auto& was = wanted.at(line);
      const auto gone = gone_.find(was.of);
      const bool expired = gone != gone_.end() && gone->second.contains(line);
      RC_ASSERT(said.of == was.of);
      RC_ASSERT(said.bytes == (expired ? Bytes{} : was.bytes));
    }
    std::map<Line, Line> back;  // the blocks
    RC_ASSERT(journal_.store
                  ->scan_back(model_.last(), {},
                              [&](Block& block) {
                                back[block.first] = Line{raw(block.first) + block.count - 1};
                                return true;
                              })
                  .ok());
    Line next{1};
    for (const auto& [first, last] : back) {
      RC_ASSERT(first == next);
      next = Line{raw(last) + 1};
    }
    for (int i = 0; i < 4; ++i) {
      ask_state(wanted, Line{*rc::gen::inRange<std::uint64_t>(0, raw(model_.last()) + 1)});
    }
    if (!unknown_.empty()) ask_state(wanted, *unknown_.rbegin());
    ask_samples(wanted);
  }
  void check() {
    settle();
    const auto report =
        check_projections(journal_.store, journal_.projections, kGoOn, small_limits());
    if (!report) RC_LOG() << report.error().message << "\n";
    RC_ASSERT(report.ok());
    RC_LOG() << report.value().wrong << " wrong, " << report.value().missing << " missing, "
             << report.value().surplus << " surplus " << report.value().unusable << "\n";
    RC_ASSERT(report.value().sound());
  }
  std::uint64_t expired() const { return expired_; }

 private:
  Section section() {
    const auto count = static_cast<std::size_t>(
        *rc::gen::weightedElement<int>({{12, 1}, {6, 7}, {3, 30}, {1, 130}}));
    const auto origin = *rc::gen::element(origin_a(), origin_b());
    const auto sequence = sequence_;
    sequence_ += count;
    if (*rc::gen::inRange(0, 3) == 0) {
      return section_of(*rc::gen::container<std::vector<model::Record>>(count, any_record()),
                        sequence, origin);
    }
    auto updates = *rc::gen::container<std::vector<PvUpdate>>(count, any_update(kChannels));
    // The live table has no such channel, and so has no chunk.
    if (*rc::gen::inRange(0, 20) == 0) {
      updates.front().channel = model::ChannelId{model::LiveTable::kChannelMax + 1};
    }
    return section_of(updates, sequence, origin);
  }
  void project_anew() {
    projections_ =
        std::make_shared<Projections>(journal_.store, journal_.projections, small_limits());
    const auto loaded = projections_->load();
    if (!loaded) RC_LOG() << loaded.error().message << "\n";
    RC_ASSERT(loaded.ok());
    ThinnerLimits soon;
    soon.raw_segments_kept = 1;
    soon.segments_at_once = 1;
    thinner_ = std::make_unique<Thinner>(journal_.segments, projections_, soon);
  }
  void ask_state(const std::map<Line, Said>& wanted, Line line) const {
    const auto found = Archive(projections_).state_at(line);
    if (!found) RC_LOG() << found.error().message << "\n";
    // At the end of such lines it is known again.
    const bool known = !unknown_.contains(line) || !unknown_.contains(Line{raw(line) + 1});
    RC_ASSERT(found.ok() == known);
    if (!known) {
      RC_ASSERT(found.error().code == Code::kNotFound);
      return;
    }
    MachineState state;
    for (const auto& [at, said] : wanted) {
      if (at <= line && said.update) state.apply(at, *said.update);
    }
    for (std::uint32_t number = 0; number <= kChannels + 1; ++number) {
      const auto* a = state.find(model::ChannelId{number});
      const auto* b = found.value().find(model::ChannelId{number});
      RC_ASSERT((a == nullptr) == (b == nullptr));
      if (a != nullptr) RC_ASSERT(*a == *b);
    }
  }
  void ask_samples(const std::map<Line, Said>& wanted) const {
    const model::ChannelId channel{*rc::gen::inRange<std::uint32_t>(1, kChannels + 1)};
    const auto last = raw(model_.last());
    const Line from{*rc::gen::inRange<std::uint64_t>(0, last + 2)};
    const Line to{*rc::gen::inRange<std::uint64_t>(0, last + 2)};
    std::vector<Sample> all;
    for (const auto& [line, said] : wanted) {
      if (said.update && said.update->channel == channel && line >= from && line <= to &&
          !unknown_.contains(line)) {
        all.push_back({line, *said.update});
      }
    }
    std::vector<Sample> found;
    RC_ASSERT(Archive(projections_)
                  .samples(channel, from, to,
                           [&](const std::vector<Sample>& some) {
                             found.insert(found.end(), some.begin(), some.end());
                             return true;
                           })
                  .ok());
    RC_ASSERT(found.size() == all.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      RC_ASSERT(found[i].line == all[i].line);
      RC_ASSERT(found[i].update == all[i].update);
    }
  }

  TempDir dir_;
  UtcTime now_ = at_second(0);
  std::uint64_t sequence_ = 1;
  MemoryStore model_{{}, [this] { return now_; }};
  RocksJournal journal_;
  std::shared_ptr<Projections> projections_;
  std::unique_ptr<Thinner> thinner_;
  std::map<RecordClass, std::set<Line>> gone_;
  std::set<Line> unknown_;  // what PVs were there, but for the end of each stretch
  std::uint64_t expired_ = 0;
};

RC_GTEST_PROP(Expired, IsSaidWhereItIsAndChangesNothingElse, ()) {
  Twins twins;
  const auto steps = *rc::gen::inRange(1, 45);
  for (int i = 0; i < steps; ++i) {
    switch (*rc::gen::inRange(0, 20)) {
      case 0: twins.open(); break;
      case 1: twins.clear(); break;
      case 2: twins.ask(); break;
      case 3:
      case 4: twins.project(); break;
      case 5:
      case 6: twins.settle(); break;
      case 7:
      case 8:
      case 9: twins.expire(); break;
      default: twins.append();
    }
  }
  twins.settle();
  twins.expire();
  twins.ask();
  if (*rc::gen::arbitrary<bool>()) twins.clear();
  twins.check();
  twins.open();
  twins.ask();
  RC_CLASSIFY(twins.expired() > 0);
}

}  // namespace
}  // namespace tidemark::journal
