// journal/replay_readers.h
//
// Who takes part in a replay, and how far each is: what was published and not acknowledged by the
// slowest is bounded, so that what he lost on the way can be sent again, and nobody is flooded. A
// plain value; it knows no bus.
//
// Threads: one.

#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"

namespace tidemark::journal {

struct ReplayWindow {
  std::size_t bytes_max = 4u << 20;  // half of what a stream keeps to send it again
  std::size_t frames_max = 1000;     // half of what the bus queues for one subscriber
  std::size_t readers_max = 32;      // that acknowledge
  Duration silence_max = std::chrono::seconds(10);
};

class ReplayReaders {
 public:
  /// The streams of a replay.
  enum Stream : std::size_t { kItems = 0, kNews = 1 };
  using Positions = std::array<std::uint64_t, 2>;

  explicit ReplayReaders(ReplayWindow window = {}) : window_(window) {}

  /// Has taken all up to these. Errors: kUnavailable, too many readers.
  Result<Unit> acknowledge(const Uuid& reader, Positions taken, SteadyTime now);
  void leave(const Uuid& reader);
  /// Who has not been heard of for long takes no part any more.
  void forget_silent(SteadyTime now);

  /// A frame went out; `last` is its last item.
  void published(Stream stream, std::uint64_t last, std::size_t bytes);

  /// Whether one more frame may go out: always, when nobody acknowledges.
  bool room() const;
  std::size_t count() const { return readers_.size(); }

 private:
  struct Reader {
    Positions taken;
    SteadyTime heard_at;
  };
  struct Frame {
    std::uint64_t last;
    std::size_t bytes;
  };
  void forget_taken();

  const ReplayWindow window_;
  std::map<Uuid, Reader> readers_;
  std::array<std::deque<Frame>, 2> open_;  // published, and not taken by everybody
  std::size_t open_bytes_ = 0;
};

}  // namespace tidemark::journal
