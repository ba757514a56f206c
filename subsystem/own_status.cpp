#include "subsystem/own_status.h"

#include <utility>

#include "base/check.h"
#include "model/api/monitor.h"
#include "model/api/node.h"
#include "model/packing.h"

namespace tidemark::subsystem {

namespace api = model::api;

void OwnStatus::open(const std::shared_ptr<bus::Link>& link, std::shared_ptr<Outbox> outbox) {
  {
    const std::lock_guard lock(mutex_);
    link_ = link;
    outbox_ = std::move(outbox);
  }
  link->declare_stream(bus::FrameClass::kState, api::kStatusStream);
  link->serve("status.state", [weak = weak_from_this(), at = link.get()](const bus::Call& call) {
    const auto self = weak.lock();
    if (!self) return;
    api::StatusItems items;
    std::uint64_t sequence = 0;
    {
      const std::lock_guard lock(self->mutex_);
      for (const auto& [name, item] : self->items_) items.push_back(item);
      sequence = self->published_;
    }
    call.progress(model::pack(items));
    call.done(model::pack(api::StateEnd{at->self().incarnation, sequence, 1}));
  });
  link->serve("status.ack", [weak = weak_from_this(), at = link.get()](const bus::Call& call) {
    const auto self = weak.lock();
    if (!self) return;
    const auto asked = model::unpack<api::StatusAck>(call.payload());
    if (!asked) return call.fail({Code::kInvalidArgument, asked.error().message});
    const std::lock_guard lock(self->mutex_);
    const auto done = self->acknowledge_locked(at, asked.value().item, asked.value().who);
    if (!done) return call.fail(done.error());
    call.done(model::pack(bus::Nothing{}));
  });
}

void OwnStatus::put_locked(bus::Link* link, model::StatusItem changed) {
  auto& item = items_[changed.name];
  if (item == changed) return;
  item = std::move(changed);
  if (outbox_) {
    (void)outbox_->append(model::StatusChanged{subsystem_ + "/" + item.name, item.severity,
                                               item.code, item.text, item.active,
                                               item.acknowledged_by});
  }
  if (link != nullptr) {
    link->publish(bus::FrameClass::kState, api::kStatusStream, 1,
                  model::pack(api::StatusItems{item}));
    ++published_;
  }
}

void OwnStatus::add(const std::string& item, bool latches) {
  const std::lock_guard lock(mutex_);
  TIDEMARK_CHECK(items_.size() < kItemsMax);
  auto& made = items_[item];
  made.name = item;
  made.latches = latches;
  made.since = utc_now();
  // At rest: nothing for the journal, but who watches wants to know of it.
  if (const auto link = link_.lock()) {
    link->publish(bus::FrameClass::kState, api::kStatusStream, 1,
                  model::pack(api::StatusItems{made}));
    ++published_;
  }
}

void OwnStatus::raise(const std::string& item, model::Level severity, std::int32_t code,
                      std::string text) {
  const std::lock_guard lock(mutex_);
  put_locked(link_.lock().get(),
             model::raised(items_.at(item), severity, code, std::move(text), utc_now()));
}

void OwnStatus::clear(const std::string& item) {
  const std::lock_guard lock(mutex_);
  put_locked(link_.lock().get(), model::cleared(items_.at(item), utc_now()));
}

Result<Unit> OwnStatus::acknowledge(const std::string& item, const std::string& who) {
  const std::lock_guard lock(mutex_);
  return acknowledge_locked(link_.lock().get(), item, who);
}

Result<Unit> OwnStatus::acknowledge_locked(bus::Link* link, const std::string& item,
                                           const std::string& who) {
  const auto found = items_.find(item);
  if (found == items_.end()) {
    return Error{Code::kNotFound, subsystem_ + " has no status item '" + item + "'"};
  }
  put_locked(link, model::acknowledged(found->second, who, utc_now()));
  return Unit{};
}

model::StatusItem OwnStatus::get(const std::string& item) const {
  const std::lock_guard lock(mutex_);
  return items_.at(item);
}

}  // namespace tidemark::subsystem
