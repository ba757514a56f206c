// subsystem/own_status.h
//
// The status items of a subsystem: model/status_item.h decides, this publishes each change on the
// status stream and tells the journal.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "bus/link.h"
#include "model/api/subsystem.h"
#include "subsystem/outbox.h"

namespace tidemark::subsystem {

class OwnStatus : public std::enable_shared_from_this<OwnStatus> {
 public:
  /// Who watches gets all of them in one message.
  static constexpr std::size_t kItemsMax = 10'000;

  explicit OwnStatus(std::string subsystem) : subsystem_(std::move(subsystem)) {}

  /// Serves status.state and status.ack, publishes from now on, and tells the journal of what was
  /// raised before.
  void open(const std::shared_ptr<bus::Link>& link, std::shared_ptr<Outbox> outbox);

  // Threads: any. What could not be added takes everything, and keeps nothing.

  /// Errors: kInvalidArgument, its name, or kItemsMax; kConflict, a second one of that name.
  Result<Unit> add(const std::string& item, bool latches);
  void raise(const std::string& item, model::Level severity, std::int32_t code, std::string text);
  void clear(const std::string& item);
  Result<Unit> acknowledge(const std::string& item, const std::string& who);
  model::StatusItem get(const std::string& item) const;

 private:
  void record_locked(const model::StatusItem& item);
  void put_locked(bus::Link* link, model::StatusItem changed);
  Result<Unit> acknowledge_locked(bus::Link* link, const std::string& item, const std::string& who);

  const std::string subsystem_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::weak_ptr<bus::Link> link_;
  std::shared_ptr<Outbox> outbox_;
  std::map<std::string, model::StatusItem> items_;
  std::uint64_t published_ = 0;
};

}  // namespace tidemark::subsystem
