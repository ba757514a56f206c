// tools/live_follower.h
//
// The monitor's live stream for a command: subscribes, fetches the state when that is needed,
// and hands every update of the wanted channels over, in order, on the thread that calls.
//
//   loop thread ── frames, answers ──► Mailbox ──► next() ──► StreamReader ──► updates

#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "base/mailbox.h"
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
  /// What was lost on the way, and was asked for again.
  struct Again {
    std::uint64_t from;
    Result<std::vector<bus::Frame>> frames;
  };
  using Event = std::variant<bus::Frame, State, Again>;

  bus::StreamReader::Actions react(Event event);
  bus::StreamReader::Actions take(State state);
  void ask_state();
  void ask_again(const bus::StreamReader::AskAgain& hole);
  void carry_out(const bus::StreamReader::Actions& actions, std::vector<LiveUpdate>& out);

  Client& client_;
  const bus::NodeNumber monitor_;
  const std::shared_ptr<Mailbox<Event>> inbox_;
  bus::StreamReader reader_;
};

}  // namespace tidemark::tools
