#include "actors/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <deque>
#include <map>
#include <set>

#include "journal/memory_store.h"
#include "journal/outbox_queue.h"

namespace tidemark::actors {
namespace {

using journal::SectionFormat;
using model::api::AppendRequest;
using model::api::AppendSection;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Uuid kNode = Uuid::derive("node");
const Uuid kMe = Uuid::derive("journal/gaps");
constexpr UtcTime kNow{std::chrono::hours(500'000)};
constexpr UtcTime kLater{std::chrono::hours(500'001)};

AppendSection records_at(std::uint64_t sequence, std::uint32_t count) {
  const std::vector<model::Record> records(
      count, model::LogMessage{model::Level::kInfo, "test", "from " + std::to_string(sequence)});
  return {sequence, count, static_cast<std::uint8_t>(SectionFormat::kRecords), kNow,
          model::Blob{model::encode_records(records)}};
}

AppendSection updates_at(std::uint64_t sequence, std::uint32_t count) {
  std::vector<model::PvUpdate> updates(count);
  for (auto& each : updates) {
    each.channel = model::ChannelId{1};
    each.value = 1.5;
  }
  return {sequence, count, static_cast<std::uint8_t>(SectionFormat::kUpdates), kNow,
          model::Blob{model::encode_updates(updates)}};
}

AppendRequest request_of(std::vector<AppendSection> sections, std::uint64_t after = 0,
                         std::uint32_t incarnation = 1) {
  return {kNode, "monitor", incarnation, after, std::move(sections)};
}

std::vector<model::Gap> gaps_in(const std::vector<journal::InspectedSection>& sections) {
  std::vector<model::Gap> gaps;
  for (const auto& each : sections) {
    if (each.section().origin != kMe) continue;
    const auto records = model::decode_records(each.section().payload).value();
    gaps.push_back(std::get<model::Gap>(records.at(0)));
  }
  return gaps;
}

class IntakeTest : public testing::Test {
 protected:
  Result<Intake::Taken> take(const AppendRequest& request, UtcTime now = kNow) {
    return intake_.take(request, now);
  }
  void store(const Intake::Taken& taken) { ASSERT_TRUE(store_.append(taken.sections).ok()); }

  journal::MemoryStore store_;
  Intake intake_{store_, kMe, 1};
};

TEST_F(IntakeTest, TakesWhatBeginsWhereTheJournalIs) {
  const auto first = take(request_of({records_at(1, 2), updates_at(3, 4)})).value();
  EXPECT_THAT(first.sections, SizeIs(2));
  EXPECT_EQ(first.through, 6u);

  const auto second = take(request_of({records_at(7, 1)}, 6)).value();
  EXPECT_THAT(second.sections, SizeIs(1));
  EXPECT_EQ(second.through, 7u);
}

TEST_F(IntakeTest, DropsADuplicateAndAcknowledgesItAgain) {
  store(take(request_of({records_at(1, 2)})).value());
  const auto again = take(request_of({records_at(1, 2)})).value();
  EXPECT_THAT(again.sections, IsEmpty());
  EXPECT_EQ(again.through, 2u);
  EXPECT_EQ(intake_.duplicates(), 1u);
}

TEST_F(IntakeTest, KnowsADuplicateThatIsNotStoredYet) {
  ASSERT_TRUE(take(request_of({records_at(1, 2)})).ok());
  EXPECT_THAT(take(request_of({records_at(1, 2)})).value().sections, IsEmpty());
}

TEST_F(IntakeTest, KnowsADuplicateFromBeforeTheJournalStarted) {
  store(take(request_of({records_at(1, 2)})).value());
  Intake after_restart(store_, kMe, 2);
  const auto again = after_restart.take(request_of({records_at(1, 2), records_at(3, 1)}), kNow);
  EXPECT_THAT(again.value().sections, SizeIs(1));
  EXPECT_EQ(again.value().through, 3u);
}

TEST_F(IntakeTest, RefusesWhatComesBeforeSomethingThatIsOnItsWay) {
  const auto early = take(request_of({records_at(3, 1)}, 2));
  ASSERT_FALSE(early.ok());
  EXPECT_EQ(early.error().code, Code::kConflict);

  const auto in_order = take(request_of({records_at(1, 2), records_at(3, 1)})).value();
  EXPECT_THAT(in_order.sections, SizeIs(2));
  EXPECT_THAT(gaps_in(in_order.sections), IsEmpty());
}

TEST_F(IntakeTest, RecordsAGapForWhatItAcknowledgedOnceAndDoesNotHave) {
  store(take(request_of({records_at(1, 2)})).value());
  auto later = request_of({records_at(8, 1)}, 7);
  later.acknowledged = 7;  // by the journal whose older copy this is
  const auto taken = take(later).value();
  EXPECT_EQ(taken.through, 8u);
  const auto gaps = gaps_in(taken.sections);
  ASSERT_THAT(gaps, SizeIs(1));
  EXPECT_EQ(gaps[0].from, 3u);
  EXPECT_EQ(gaps[0].to, 7u);
}

TEST_F(IntakeTest, RefusesARequestThatAcknowledgesWhatItSends) {
  auto more_than_after = request_of({records_at(6, 3)}, 5);
  more_than_after.acknowledged = 8;
  const auto refused = take(more_than_after);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_EQ(refused.error().message, "monitor says acknowledged 8, which is more than after 5");

  auto within_the_section = request_of({records_at(1, 3)}, 2);
  within_the_section.acknowledged = 2;
  const auto also_refused = take(within_the_section);
  ASSERT_FALSE(also_refused.ok());
  EXPECT_EQ(also_refused.error().code, Code::kInvalidArgument);
  EXPECT_EQ(also_refused.error().message,
            "monitor says acknowledged 2, and its first section has the sequence 1");

  EXPECT_THAT(take(request_of({records_at(1, 3)})).value().sections, SizeIs(1))
      << "nothing was remembered of either";
}

TEST_F(IntakeTest, WaitsStillForWhatWasNotAcknowledged) {
  auto early = request_of({records_at(8, 1)}, 7);
  early.acknowledged = 5;
  ASSERT_FALSE(take(early).ok());
  auto due = request_of({records_at(6, 2), records_at(8, 1)}, 5);
  due.acknowledged = 5;
  EXPECT_EQ(take(due).value().through, 8u);
}

TEST_F(IntakeTest, GoesOnWithAShortLivedOriginThatItForgot) {
  auto request = request_of({records_at(4, 1)}, 3, model::api::kShortLived);
  request.acknowledged = 3;
  const auto taken = take(request).value();
  EXPECT_EQ(taken.through, 4u);
  EXPECT_THAT(gaps_in(taken.sections), IsEmpty());
  EXPECT_THAT(take(request).value().sections, IsEmpty());
}

TEST_F(IntakeTest, ForgetsShortLivedOriginsAfterAnHour) {
  auto now = kNow;
  journal::MemoryStore store({}, [&] { return now; });
  Intake intake(store, kMe, 1);
  auto request = request_of({records_at(1, 1)}, 0, model::api::kShortLived);
  const auto append = [&] {
    const auto taken = intake.take(request, now).value();
    if (taken.sections.empty()) return;
    ASSERT_TRUE(store.append(taken.sections).ok());
  };
  append();
  append();
  EXPECT_EQ(raw(store.last()), 1u) << "remembered for the time being";

  const auto first = request.origin;
  now += journal::kShortLivedKept + std::chrono::seconds(1);
  for (std::size_t i = 0; i < journal::kShortLivedSwept; ++i) {
    request.origin = Uuid::random();
    append();
  }
  EXPECT_FALSE(store.mark_of(first));
  EXPECT_TRUE(store.mark_of(request.origin));
  request.origin = first;
  append();
  EXPECT_EQ(raw(store.last()), journal::kShortLivedSwept + 2) << "as new";
}

TEST_F(IntakeTest, TakesNothingOfARequestWithASectionThatCannotBeTaken) {
  auto bad = records_at(3, 1);
  bad.payload.bytes = "not records";
  const auto refused = take(request_of({records_at(1, 2), bad}));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kCorruption);
  EXPECT_THAT(refused.error().message, HasSubstr("monitor"));

  const auto good = take(request_of({records_at(1, 2), records_at(3, 1)})).value();
  EXPECT_THAT(good.sections, SizeIs(2));
  EXPECT_EQ(good.through, 3u);
}

TEST_F(IntakeTest, RefusesASectionOfNoRecords) {
  auto empty = records_at(1, 1);
  empty.count = 0;
  EXPECT_EQ(take(request_of({empty})).error().code, Code::kCorruption);
}

TEST_F(IntakeTest, RefusesASectionThatCountsPastTheLastNumber) {
  auto section = records_at(~std::uint64_t{0}, 2);
  EXPECT_EQ(take(request_of({section}, ~std::uint64_t{0})).error().code, Code::kCorruption);
}

TEST_F(IntakeTest, RefusesASectionThatBeginsInsideAStoredOne) {
  store(take(request_of({records_at(1, 3)})).value());
  EXPECT_EQ(take(request_of({records_at(2, 3)})).error().code, Code::kCorruption);
}

TEST_F(IntakeTest, RecordsAGapBeforeWhatFollowsAHole) {
  store(take(request_of({updates_at(1, 5)})).value());
  const auto taken = take(request_of({updates_at(11, 2)}, 5), kLater).value();

  ASSERT_THAT(taken.sections, SizeIs(2));
  const auto gaps = gaps_in({taken.sections.front()});
  ASSERT_THAT(gaps, SizeIs(1));
  EXPECT_EQ(gaps[0].origin, kNode);
  EXPECT_EQ(gaps[0].node, "monitor");
  EXPECT_EQ(gaps[0].incarnation, 1u);
  EXPECT_EQ(gaps[0].from, 6u);
  EXPECT_EQ(gaps[0].to, 10u);
  EXPECT_EQ(gaps[0].since, kNow);
  EXPECT_EQ(gaps[0].until, kLater);
  EXPECT_EQ(taken.through, 12u);
  EXPECT_EQ(intake_.gaps(), 1u);
}

TEST_F(IntakeTest, RecordsAGapAtTheVeryBeginning) {
  const auto taken = take(request_of({updates_at(4, 1)}, 0)).value();
  const auto gaps = gaps_in(taken.sections);
  ASSERT_THAT(gaps, SizeIs(1));
  EXPECT_EQ(gaps[0].from, 1u);
  EXPECT_EQ(gaps[0].to, 3u);
}

TEST_F(IntakeTest, TakesAHoleBetweenTwoSectionsOfOneRequestAsAGap) {
  const auto taken = take(request_of({records_at(1, 1), updates_at(5, 2)}));
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  const auto gaps = gaps_in(taken.value().sections);
  ASSERT_THAT(gaps, SizeIs(1));
  EXPECT_EQ(gaps[0].from, 2u);
  EXPECT_EQ(gaps[0].to, 4u);
}

TEST_F(IntakeTest, RefusesWhatComesBeforeSomethingHeldAlsoBehindAHole) {
  // Record 1 was dropped, 2 and 3 are on their way in an earlier request.
  const auto early = take(request_of({records_at(4, 2)}, 3));
  ASSERT_FALSE(early.ok());
  EXPECT_EQ(early.error().code, Code::kConflict);

  const auto in_order = take(request_of({records_at(2, 2), records_at(4, 2)}, 0)).value();
  const auto gaps = gaps_in(in_order.sections);
  ASSERT_THAT(gaps, SizeIs(1));
  EXPECT_EQ(gaps[0].from, 1u);
  EXPECT_EQ(gaps[0].to, 1u);
  EXPECT_EQ(in_order.through, 5u);
}

TEST_F(IntakeTest, NumbersItsGapsInARow) {
  store(take(request_of({updates_at(2, 1)})).value());
  store(take(request_of({updates_at(4, 1)}, 2)).value());
  EXPECT_EQ(store_.mark_of(kMe)->sequence, 2u);
}

TEST_F(IntakeTest, RecordsThatAnIncarnationWithUpdatesEnded) {
  store(take(request_of({updates_at(1, 5)})).value());
  const auto taken = take(request_of({updates_at(1, 1)}, 0, 2), kLater).value();
  const auto gaps = gaps_in(taken.sections);
  ASSERT_THAT(gaps, SizeIs(1));
  EXPECT_EQ(gaps[0].incarnation, 1u);
  EXPECT_EQ(gaps[0].from, 6u);
  EXPECT_EQ(gaps[0].to, 0u);  // nobody knows
  EXPECT_EQ(taken.through, 1u);
}

TEST_F(IntakeTest, RecordsNoGapWhenANodeWithoutUpdatesStartsAgain) {
  store(take(request_of({records_at(1, 5)})).value());
  const auto taken = take(request_of({records_at(1, 1)}, 0, 2)).value();
  EXPECT_THAT(gaps_in(taken.sections), IsEmpty());
}

TEST_F(IntakeTest, RecordsTheEndOfAnIncarnationThatItKnowsFromTheStoreOnly) {
  store(take(request_of({records_at(1, 5)})).value());
  Intake after_restart(store_, kMe, 2);
  const auto taken = after_restart.take(request_of({records_at(1, 1)}, 0, 2), kLater).value();
  EXPECT_THAT(gaps_in(taken.sections), SizeIs(1));
}

TEST_F(IntakeTest, TakesTheNextIncarnationOfAnOriginThatIsCompleteWithoutAGap) {
  store(take(request_of({updates_at(1, 2)})).value());
  auto request = request_of({records_at(1, 1)}, 0, 2);
  request.complete = true;
  EXPECT_THAT(gaps_in(take(request).value().sections), IsEmpty());
}

TEST_F(IntakeTest, TakesNumbersOfSomethingElseWithTheirHoles) {
  auto request = request_of({records_at(17, 1), records_at(90, 2)});
  request.sparse = true;
  const auto taken = take(request).value();
  EXPECT_THAT(taken.sections, SizeIs(2));
  EXPECT_THAT(gaps_in(taken.sections), IsEmpty());
  EXPECT_EQ(taken.through, 91u);
  const auto again = take(request).value();
  EXPECT_THAT(again.sections, IsEmpty());
}

TEST_F(IntakeTest, SaysHowFarItIsToWhoSendsNothing) {
  store(take(request_of({records_at(1, 5)})).value());
  EXPECT_EQ(take(request_of({})).value().through, 5u);
}

TEST_F(IntakeTest, RefusesWhatIsTooMuchForABlock) {
  std::vector<AppendSection> many;
  for (std::uint64_t i = 0; i < Intake::kRequestSectionsMax; ++i) {
    many.push_back(records_at(2 * i + 2, 1));
  }
  const auto most = take(request_of(many));
  ASSERT_TRUE(most.ok()) << most.error().message;
  EXPECT_THAT(most.value().sections, SizeIs(2 * Intake::kRequestSectionsMax)) << "with gaps";
  store(most.value());

  many.push_back(records_at(5000, 1));
  const auto refused = take(request_of(many));
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("monitor sends 1001 sections"));
  auto large = records_at(1, 1);
  large.payload.bytes.resize(Intake::kRequestBytesMax + 1);
  EXPECT_EQ(take(request_of({large})).error().code, Code::kInvalidArgument);
}

TEST_F(IntakeTest, RefusesAnOlderIncarnation) {
  ASSERT_TRUE(take(request_of({records_at(1, 1)}, 0, 3)).ok());
  const auto old = take(request_of({records_at(1, 1)}, 0, 2));
  ASSERT_FALSE(old.ok());
  EXPECT_EQ(old.error().code, Code::kRefused);
  EXPECT_THAT(old.error().message, HasSubstr("superseded by 3"));
}

// ---- An origin, a network that loses, repeats and reorders, and the journal.

class Simulation {
 public:
  /// One random event.
  void step() {
    switch (*rc::gen::inRange(0, 11)) {
      case 0:
      case 1: push(SectionFormat::kRecords); break;
      case 2:
      case 3: push(SectionFormat::kUpdates); break;
      case 4: send(); break;
      case 5:
      case 6:
      case 7: arrive(*rc::gen::inRange<std::size_t>(0, 4)); break;
      case 8: lose(); break;
      case 9: restart_journal(); break;
      default:
        if (*rc::gen::inRange(0, 4) == 0) restart_node();
        break;
    }
  }

  /// The network works again, until nothing is held.
  void drain() {
    requests_.clear();
    queue_->rewind();
    for (int i = 0; i < 1000 && !queue_->idle(); ++i) {
      send();
      while (!requests_.empty()) arrive(0);
    }
    RC_ASSERT(queue_->idle());
  }

  void check() const {
    // Each record is there once, in order; each that is not is in a Gap.
    std::map<std::uint32_t, std::uint64_t> last;  // by incarnation
    std::set<std::pair<std::uint32_t, std::uint64_t>> stored;
    std::map<std::uint32_t, std::vector<model::Gap>> gaps;
    std::uint32_t incarnation = 0;
    RC_ASSERT(store_
                  .scan(journal::Line{1}, {},
                        [&](journal::Block& block) {
                          for (const auto& section : block.sections) {
                            if (section.origin == kMe) {
                              const auto records = model::decode_records(section.payload);
                              const auto& gap = std::get<model::Gap>(records.value().at(0));
                              gaps[gap.incarnation].push_back(gap);
                              continue;
                            }
                            RC_ASSERT(section.incarnation >= incarnation);
                            incarnation = section.incarnation;
                            RC_ASSERT(section.sequence > last[incarnation]);
                            last[incarnation] = section.sequence + section.count - 1;
                            for (auto i = section.sequence; i <= last[incarnation]; ++i) {
                              stored.emplace(incarnation, i);
                            }
                          }
                          return true;
                        })
                  .ok());
    for (const auto& each : acknowledged_) {
      RC_ASSERT(stored.contains(each) || covered(gaps, each));
    }
    for (const auto& each : sent_records_) RC_ASSERT(stored.contains(each));
    for (const auto& [each, sequence] : last) {
      for (std::uint64_t i = 1; i <= sequence; ++i) {
        RC_ASSERT(stored.contains({each, i}) != covered(gaps, {each, i}));
      }
    }
  }

 private:
  static bool covered(const std::map<std::uint32_t, std::vector<model::Gap>>& gaps,
                      std::pair<std::uint32_t, std::uint64_t> record) {
    const auto of = gaps.find(record.first);
    if (of == gaps.end()) return false;
    return std::any_of(of->second.begin(), of->second.end(), [&](const model::Gap& gap) {
      return gap.from <= record.second && (gap.to == 0 || record.second <= gap.to);
    });
  }

  void push(SectionFormat format) {
    const auto count = *rc::gen::inRange<std::uint32_t>(1, 4);
    const bool updates = format == SectionFormat::kUpdates;
    const auto section = updates ? updates_at(1, count) : records_at(1, count);
    const auto last =
        queue_->push(format, updates ? journal::Worth::kUpdates : journal::Worth::kRecords, count,
                     kNow, section.payload.bytes);
    if (updates) return;
    for (auto i = last - count + 1; i <= last; ++i) held_.emplace(i);
  }

  void send() {
    for (;;) {
      const auto after = queue_->after();
      auto sections = queue_->next();
      if (sections.empty()) return;
      requests_.push_back({{kNode, "monitor", incarnation_, after, std::move(sections),
                            queue_->acknowledged_through()},
                           generation_});
    }
  }

  /// One of the oldest requests reaches the journal; its answer may be lost.
  void arrive(std::size_t which) {
    if (requests_.empty()) return;
    which = std::min(which, requests_.size() - 1);
    const auto [request, generation] = requests_[which];
    requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(which));
    const auto taken = intake_->take(request, kNow);
    if (taken && !taken.value().sections.empty()) {
      RC_ASSERT(store_.append(taken.value().sections).ok());
    }
    if (generation != generation_ || request.incarnation != incarnation_) return;
    if (!taken) return rewind();
    queue_->acknowledged(taken.value().through);
    for (std::uint64_t i = 1; i <= taken.value().through; ++i) {
      acknowledged_.emplace(incarnation_, i);
      if (held_.contains(i)) sent_records_.emplace(incarnation_, i);
    }
  }

  void lose() {
    // The request, or its answer: it may arrive later, and nobody waits for it any more.
    if (requests_.empty()) return;
    if (*rc::gen::arbitrary<bool>()) requests_.pop_front();
    rewind();
  }

  void rewind() {
    ++generation_;
    queue_->rewind();
  }

  void restart_journal() {
    intake_ = std::make_unique<Intake>(store_, kMe, ++journal_incarnation_);
  }

  void restart_node() {
    ++incarnation_;
    rewind();
    held_.clear();
    queue_ = std::make_unique<journal::OutboxQueue>(kLimits);
  }

  struct OnTheWay {
    AppendRequest request;
    std::uint64_t generation;
  };

  static constexpr journal::OutboxLimits kLimits{1500, 400, 3};

  journal::MemoryStore store_;
  std::uint32_t journal_incarnation_ = 1;
  std::unique_ptr<Intake> intake_ = std::make_unique<Intake>(store_, kMe, 1);
  std::unique_ptr<journal::OutboxQueue> queue_ = std::make_unique<journal::OutboxQueue>(kLimits);
  std::uint32_t incarnation_ = 1;
  std::uint64_t generation_ = 0;
  std::deque<OnTheWay> requests_;
  std::set<std::uint64_t> held_;  // records that are no updates, of this incarnation
  std::set<std::pair<std::uint32_t, std::uint64_t>> acknowledged_;
  std::set<std::pair<std::uint32_t, std::uint64_t>> sent_records_;
};

TEST(IntakeAndOutboxQueue, StoreEachRecordOnceAndCoverWhatIsMissing) {
  EXPECT_TRUE(rc::check([] {
    Simulation simulation;
    const auto steps = *rc::gen::inRange(0, 120);
    for (int i = 0; i < steps; ++i) simulation.step();
    simulation.drain();
    simulation.check();
  }));
}

}  // namespace
}  // namespace tidemark::actors
