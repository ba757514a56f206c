// bus/state_follower.h
//
// A StreamReader at work on a Link: subscribes, asks for the state and for what was lost, and
// hands over what the reader decides. Everything happens on the link's loop thread.

#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bus/stream_reader.h"

namespace tidemark::bus {

/// A whole state: as it was after `sequence` items of `incarnation`.
struct WholeState {
  Incarnation incarnation = 0;
  std::uint64_t sequence = 0;
  std::vector<Bytes> parts;
};

struct StateFollowerOptions {
  FrameClass frame_class = FrameClass::kState;
  StreamId stream;
  std::string method;  // asks the publisher for its state
  Bytes payload;
  /// What it answered.
  std::function<Result<WholeState>(std::vector<Bytes> progress, Bytes answer)> read_state;
  /// The parts of a whole state: forget what was.
  std::function<void(std::vector<Bytes> parts)> on_state;
  /// Items, the next ones in sequence. Errors: they cannot be read; counted and logged, and made
  /// good with a whole state, as a hole is.
  std::function<Result<Unit>(const Bytes& payload)> on_items;
  std::function<void(const StreamReader::Lost&)> on_lost;  // may be empty
};

class StateFollower : public std::enable_shared_from_this<StateFollower> {
 public:
  /// Follows until stop(). Threads: any.
  static std::shared_ptr<StateFollower> start(Link& link, StateFollowerOptions options);
  /// No callback comes after this when it is called on the loop thread; else one may be running.
  /// The link must be there still.
  void stop();

  // Only on the loop thread.
  bool live() const { return reader_.live(); }
  /// When the last frame or heartbeat came.
  SteadyTime heard_at() const { return heard_at_; }
  Incarnation incarnation() const { return reader_.incarnation(); }
  const StreamReader::Counters& counters() const { return reader_.counters(); }

 private:
  StateFollower(Link& link, StateFollowerOptions options)
      : link_(link), options_(std::move(options)) {}

  void act(StreamReader::Actions actions);
  void unreadable(const Error& why);
  void ask_state();
  void tick();

  Link& link_;
  const StateFollowerOptions options_;
  SubscriptionId subscription_{};

  std::atomic<bool> stopped_{false};
  // Only on the loop thread.
  StreamReader reader_;
  SteadyTime heard_at_{};
};

}  // namespace tidemark::bus
