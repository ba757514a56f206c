// tools/client.h
//
// A command's connection to a running site: it asks and waits. It binds nothing and registers
// nowhere; the registry's address, which the site file gives, leads to all other nodes.
//
//   command ── ask() ──► Link ──► node          progress and answer come back on the
//           ◄────────── wait ◄── loop thread    thread that asked

#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bus/link.h"
#include "bus/membership.h"
#include "config/site.h"
#include "model/packing.h"

namespace tidemark::tools {

/// One open question. Threads: any may call the on_… methods, one waits.
class Pending {
 public:
  void on_progress(Bytes payload);
  void on_answer(bus::Answer answer);
  /// Blocks for the answer; hands progress over meanwhile. kTimeout "interrupted" on Ctrl-C, when
  /// an Interrupt lives.
  bus::Answer wait(const std::function<void(Bytes)>& progress);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<Bytes> progress_;
  std::optional<bus::Answer> answer_;
};

class Client {
 public:
  /// Opens a link, and asks the registry who is there. `key` names our CURVE key, on a site that
  /// has keys.
  /// Errors: kUnavailable  no registry answers; the message says what to start.
  ///         and those of bus/curve_keys.h.
  static Result<std::unique_ptr<Client>> connect(const config::Site& site, Duration budget,
                                                 const std::string& key = "cli");

  /// The same over a link that is open. `hint` ends the message when the registry is silent.
  static Result<std::unique_ptr<Client>> join(std::unique_ptr<bus::Link> link,
                                              std::vector<bus::NodeInfo> registries,
                                              std::string hint, Duration budget);

  /// Asks and waits. `progress` is called on this thread.
  /// Errors: kUnavailable  the node is not there; the message says since when.
  ///         kCorruption   the answer is not what `Reply` is packed as.
  ///         and what the node answers, or the link (bus/link.h).
  template <class Reply, class Request>
  Result<Reply> ask(const std::string& node, const std::string& method, const Request& request,
                    Duration budget, const std::function<void(Bytes)>& progress = {}) {
    return unpacked<Reply>(method, ask_bytes(node, method, model::pack(request), budget, progress));
  }

  /// Asks without waiting; wait_for() has the answer.
  template <class Request>
  std::shared_ptr<Pending> begin(const std::string& node, const std::string& method,
                                 const Request& request, Duration budget) {
    return begin_bytes(node, method, model::pack(request), budget);
  }
  template <class Reply>
  static Result<Reply> wait_for(Pending& pending, const std::string& method) {
    return unpacked<Reply>(method, pending.wait({}));
  }

  /// Asks the registry again.
  Result<Unit> refresh(Duration budget);
  /// Waits until the registry knows everybody who lives: one that has just started does not.
  /// Errors: kUnavailable  it does not within `budget`. kTimeout  Ctrl-C. And as refresh().
  Result<Unit> settle(Duration budget);
  /// From now on the registry's changes arrive by themselves, so a call to a node that dies ends
  /// at once. For commands that stay.
  void follow_directory();

  bus::Directory directory() const;
  std::optional<bus::NodeInfo> node(const std::string& name) const;
  bus::Link& link() { return *link_; }
  /// For what listens beside this client, and may go after it.
  const std::shared_ptr<bus::Link>& shared_link() const { return link_; }
  const std::vector<bus::NodeInfo>& registries() const { return registries_; }
  /// Goes when the link has gone.
  void keep(std::shared_ptr<void> what) { kept_ = std::move(what); }

 private:
  Client(std::unique_ptr<bus::Link> link, std::vector<bus::NodeInfo> registries, std::string hint);

  template <class Reply>
  static Result<Reply> unpacked(const std::string& method, bus::Answer answer) {
    if (!answer) return answer.error();
    auto reply = model::unpack<Reply>(answer.value());
    if (!reply) return Error{Code::kCorruption, method + ": " + reply.error().message};
    return reply;
  }
  bus::Answer ask_bytes(const std::string& node, const std::string& method, Bytes payload,
                        Duration budget, const std::function<void(Bytes)>& progress);
  std::shared_ptr<Pending> begin_bytes(const std::string& node, const std::string& method,
                                       Bytes payload, Duration budget);
  void learn(bus::Directory directory);

  std::shared_ptr<void> kept_;

  // Constant after construction.
  const std::vector<bus::NodeInfo> registries_;
  const std::string hint_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  bus::Directory directory_;

  std::shared_ptr<bus::Membership> membership_;  // when the directory is followed
  // Last: its loop thread, which calls learn(), ends before the rest goes.
  std::shared_ptr<bus::Link> link_;
};

}  // namespace tidemark::tools
