// test/bus/stream_reader_simulation_test.cpp
//
// A publisher, a network that loses, doubles and delays, and a reader, all from one seed. In the
// end the reader holds the publisher's state, and every item that it never saw was reported. A
// replay also jumps: all of its state changes at once.

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "bus/stream_reader.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;
using Table = std::map<std::string, std::string>;  // a payload is "key=value;key=value;"

void overlay(Table& table, const std::string& payload) {
  for (std::size_t at = 0; at < payload.size();) {
    const auto equals = payload.find('=', at);
    const auto end = payload.find(';', equals);
    table[payload.substr(at, equals - at)] = payload.substr(equals + 1, end - equals - 1);
    at = end + 1;
  }
}

Bytes whole(const Table& table) {
  Bytes text;
  for (const auto& [key, value] : table) text += key + "=" + value + ";";
  return text;
}

struct State {
  Incarnation incarnation;
  std::uint64_t sequence;
  Bytes table;
};

class World {
 public:
  World(unsigned seed, FrameClass frame_class) : random_(seed), class_(frame_class) {}

  void run() {
    for (int step = 0; step < 3000; ++step) {
      now_ += 10ms;
      lossy_ = step < 2500;
      if (chance(50)) publish();
      if (is_replay(class_) && step < 2900 && chance(4)) jump();
      if (step % 20 == 0) send(heartbeat());
      if (lossy_ && chance(1)) restart();
      deliver();
      send_again();
      answer();
      act(reader_.on_tick(now_));
    }
  }

  std::uint64_t repaired() const { return reader_.counters().repaired; }

  void check() const {
    EXPECT_TRUE(reader_.live());
    EXPECT_EQ(copy_, table_);
    EXPECT_EQ(reader_.applied(), sequence_);
    // From the first thing that arrived of the last incarnation on.
    for (auto item = joined_at_ + 1; item <= sequence_; ++item) {
      const bool accounted = arrived_.contains(item) || lost_.contains(item);
      EXPECT_TRUE(accounted) << "nobody noticed the loss of " << item;
    }
  }

 private:
  bool chance(unsigned percent) { return random_() % 100 < percent; }

  Frame heartbeat() {
    Frame made;
    made.header.frame_class = FrameClass::kHeartbeat;
    made.header.incarnation = incarnation_;
    made.header.sequence = sequence_;
    return made;
  }

  void publish() {
    Frame made;
    made.header.frame_class = class_;
    made.header.incarnation = incarnation_;
    made.header.sequence = sequence_ + 1;
    made.header.count = 1 + static_cast<std::uint32_t>(random_() % 5);
    for (std::uint32_t i = 0; i < made.header.count; ++i) {
      made.payload +=
          "pv" + std::to_string(random_() % 20) + "=" + std::to_string(++sequence_) + ";";
    }
    overlay(table_, made.payload);
    keep_and_send(std::move(made));
  }

  void jump() {
    Frame made;
    made.header.frame_class = class_;
    made.header.incarnation = incarnation_;
    made.header.sequence = ++sequence_;
    made.header.count = 1;
    table_.clear();
    for (int i = 0; i < 3; ++i) {
      table_["pv" + std::to_string(random_() % 20)] = "jump" + std::to_string(sequence_);
    }
    keep_and_send(std::move(made));
  }

  void keep_and_send(Frame frame) {
    ring_.push_back(frame);
    if (ring_.size() > 8) ring_.pop_front();
    send(std::move(frame));
  }

  void send(Frame frame) {
    if (lossy_ && chance(15)) return;
    if (lossy_ && chance(5)) network_.push_back(frame);
    network_.push_back(std::move(frame));
  }

  void restart() {
    ++incarnation_;
    sequence_ = 0;
    table_.clear();
    ring_.clear();
    if (chance(50)) publish();
  }

  void deliver() {
    while (!network_.empty() && !(lossy_ && chance(30))) {
      Frame frame = std::move(network_.front());
      network_.pop_front();
      note(frame.header);
      act(reader_.on_frame(std::move(frame), now_));
    }
  }

  void note(const FrameHeader& header) {
    const bool is_heartbeat = header.frame_class == FrameClass::kHeartbeat;
    if (header.incarnation > heard_) {
      heard_ = header.incarnation;
      joined_at_ = is_heartbeat ? header.sequence : header.sequence - 1;
      arrived_.clear();
      lost_.clear();
    }
    if (header.incarnation < heard_ || is_heartbeat) return;
    for (std::uint64_t i = 0; i < header.count; ++i) arrived_.insert(header.sequence + i);
  }

  void act(const StreamReader::Actions& actions) {
    for (const auto& action : actions) {
      if (std::holds_alternative<StreamReader::AskState>(action)) ++asked_;
      if (const auto* again = std::get_if<StreamReader::AskAgain>(&action)) again_ = *again;
      if (const auto* state = std::get_if<StreamReader::Whole>(&action)) {
        copy_.clear();
        for (const auto& part : state->parts) overlay(copy_, part);
      }
      if (const auto* items = std::get_if<StreamReader::Apply>(&action))
        overlay(copy_, items->payload);
      if (const auto* lost = std::get_if<StreamReader::Lost>(&action)) {
        for (auto item = lost->from; item <= lost->to; ++item) {
          EXPECT_TRUE(lost_.insert(item).second) << item << " was reported lost twice";
        }
      }
    }
  }

  void send_again() {
    if (!again_ || (lossy_ && chance(60))) return;
    const auto wanted = *std::exchange(again_, std::nullopt);
    std::vector<Frame> frames;
    for (const auto& frame : ring_) {
      const auto last = frame.header.sequence + frame.header.count - 1;
      if (last >= wanted.from && frame.header.sequence <= wanted.to) frames.push_back(frame);
    }
    if (wanted.incarnation != incarnation_ || (lossy_ && chance(20))) {
      act(reader_.on_again_failed(wanted.from));
      return;
    }
    for (const auto& frame : frames) {
      for (std::uint32_t i = 0; i < frame.header.count; ++i) {
        arrived_.insert(frame.header.sequence + i);
      }
    }
    act(reader_.on_again(wanted.from, std::move(frames)));
  }

  void answer() {
    // An answer is made at one time and arrives at another.
    if (answer_) {
      if (lossy_ && chance(60)) return;
      const State state = *std::exchange(answer_, std::nullopt);
      act(reader_.on_state(state.incarnation, state.sequence, {state.table}, now_));
    } else if (asked_ > 0 && !(lossy_ && chance(50))) {
      --asked_;
      if (lossy_ && chance(20)) {
        act(reader_.on_state_failed(now_));
      } else {
        answer_ = State{incarnation_, sequence_, whole(table_)};
      }
    }
  }

  std::mt19937 random_;
  const FrameClass class_;
  SteadyTime now_{};
  bool lossy_ = true;

  Incarnation incarnation_ = 1;
  std::uint64_t sequence_ = 0;
  Table table_;
  std::deque<Frame> network_;
  std::deque<Frame> ring_;
  std::optional<StreamReader::AskAgain> again_;
  int asked_ = 0;
  std::optional<State> answer_;

  StreamReader reader_{StreamReaderLimits{.buffer_bytes_max = 2000}};
  Table copy_;
  Incarnation heard_ = 0;
  std::uint64_t joined_at_ = 0;
  std::set<std::uint64_t> arrived_;
  std::set<std::uint64_t> lost_;
};

void simulate(FrameClass frame_class) {
  const unsigned first = std::random_device{}();
  std::uint64_t repaired = 0;
  for (unsigned seed = first; seed < first + 200 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed, frame_class);
    world.run();
    world.check();
    repaired += world.repaired();
  }
  EXPECT_GT(repaired, 0U);
  std::printf("seeds from %u\n", first);
}

TEST(StreamReaderSimulation, EndsWithThePublishersStateAndEveryHoleNoticed) {
  simulate(FrameClass::kState);
}

TEST(StreamReaderSimulation, AReplayThatJumpsEndsInItsState) { simulate(FrameClass::kReplayState); }

}  // namespace
}  // namespace tidemark::bus
