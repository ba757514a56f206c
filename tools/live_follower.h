// tools/live_follower.h
//
// The monitor's live stream for a command: subscribes, fetches the state when that is needed,
// and hands every update of the wanted channels over, in order, on the thread that calls.
//
//   loop thread ── frames, answers ──► HandoffQueue ──► next() ──► StreamReader ──► updates

#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <variant>
#include <vector>

#include "base/handoff_queue.h"
#include "bus/stream_reader.h"
#include "model/pv_update.h"
#include "tools/client.h"

namespace tidemark::tools {

struct LiveUpdate {
  model::PvUpdate update;
  bool from_state = false;  // one of a whole state: it may be nothing new
};

class LiveFollower {
 public:
  /// `monitor` as the directory knows it. Subscribes at once.
  LiveFollower(Client& client, const bus::NodeInfo& monitor);

  /// What has arrived, waiting up to `wait` for something. Empty: nothing yet.
  std::vector<LiveUpdate> next(Duration wait);

  bool live() const { return reader_.live(); }
  const bus::StreamReader::Counters& counters() const { return reader_.counters(); }

 private:
  struct State {
    std::vector<Bytes> parts;
    bus::Answer end;
  };
  using Event = std::variant<bus::Frame, State>;

  /// Shared with callbacks, which may come after the follower has gone.
  struct Inbox {
    Inbox();
    std::mutex mutex;
    std::condition_variable changed;
    bool woken = false;  // guarded by mutex
    HandoffQueue<Event> queue;
  };

  void ask_state();
  void carry_out(bus::StreamReader::Actions actions, std::size_t state_parts,
                 std::vector<LiveUpdate>& out);

  Client& client_;
  const bus::NodeNumber monitor_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  bus::StreamReader reader_;
};

}  // namespace tidemark::tools
