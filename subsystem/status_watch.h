// subsystem/status_watch.h
//
// The status items of others: follows the status stream of every subsystem whose name fits.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "bus/membership.h"
#include "model/api/subsystem.h"
#include "subsystem/executor.h"
#include "subsystem/stream_sums.h"

namespace tidemark::subsystem {

class StatusWatch : public std::enable_shared_from_this<StatusWatch> {
 public:
  using OnItem = std::function<void(const std::string& subsystem, const model::StatusItem&)>;

  /// `on_item` runs on the executor: for each item that there is, then for each change.
  StatusWatch(std::string pattern, std::shared_ptr<Executor> executor,
              std::shared_ptr<StreamSums> streams, OnItem on_item)
      : pattern_(std::move(pattern)),
        executor_(std::move(executor)),
        streams_(std::move(streams)),
        on_item_(std::move(on_item)) {}

  /// Who is there has changed. Only on the loop thread.
  void on_changes(bus::Link& link, const std::vector<bus::NodeInfo>& changed);
  /// `on_item` is not called any more. Threads: any.
  void close() { closed_ = true; }
  /// After close(): asks nobody any more. Only on the loop thread.
  void stop();

 private:
  struct Followed {
    std::shared_ptr<bus::StateFollower> follower;
    bus::StreamReader::Counters counted;  // of it, in streams_
  };
  void count(const Uuid& node);
  Result<Unit> take(const std::string& subsystem, const Bytes& payload);

  const std::string pattern_;
  const std::shared_ptr<Executor> executor_;
  const std::shared_ptr<StreamSums> streams_;
  const OnItem on_item_;
  std::atomic<bool> closed_{false};
  std::map<Uuid, Followed> followed_;  // only on the loop thread
};

}  // namespace tidemark::subsystem
