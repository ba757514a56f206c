#include "subsystem/own_status.h"

#include <string>
#include <utility>

#include "model/api/monitor.h"
#include "model/api/node.h"
#include "model/kv/key_spec.h"
#include "model/packing.h"

namespace tidemark::subsystem {

namespace api = model::api;

void OwnStatus::open(const std::shared_ptr<bus::Link>& link, std::shared_ptr<Outbox> outbox) {
  {
    const std::lock_guard lock(mutex_);
    link_ = link;
    outbox_ = std::move(outbox);
    for (const auto& [name, item] : items_) {
      if (item.severity > model::Level::kInfo || item.active) record_locked(item);
    }
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

void OwnStatus::record_locked(const model::StatusItem& item) {
  if (!outbox_) return;
  // Refused only when a million wait: then the outbox's own gap tells.
  (void)outbox_->append(model::StatusChanged{subsystem_ + "/" + item.name, item.severity, item.code,
                                             item.text, item.active, item.acknowledged_by});
}

void OwnStatus::put_locked(bus::Link* link, model::StatusItem changed) {
  auto& item = items_[changed.name];
  if (item == changed) return;
  item = std::move(changed);
  record_locked(item);
  if (link != nullptr) {
    link->publish(bus::FrameClass::kState, api::kStatusStream, 1,
                  model::pack(api::StatusItems{item}));
    ++published_;
  }
}

Result<Unit> OwnStatus::add(const std::string& item, bool latches) {
  const auto checked = model::kv::check_key_name(item);
  if (!checked) return Error{checked.error().code, "status item " + checked.error().message};
  const std::lock_guard lock(mutex_);
  if (items_.size() >= kItemsMax) {
    return Error{Code::kInvalidArgument, subsystem_ + " has " + std::to_string(kItemsMax) +
                                             " status items, and may have no more"};
  }
  const auto [at, is_new] = items_.try_emplace(item);
  if (!is_new) {
    return Error{Code::kConflict, "a second status item '" + item + "' of " + subsystem_};
  }
  auto& made = at->second;
  made.name = item;
  made.latches = latches;
  made.since = utc_now();
  // At rest: nothing for the journal, but who watches wants to know of it.
  if (const auto link = link_.lock()) {
    link->publish(bus::FrameClass::kState, api::kStatusStream, 1,
                  model::pack(api::StatusItems{made}));
    ++published_;
  }
  return Unit{};
}

void OwnStatus::raise(const std::string& item, model::Level severity, std::int32_t code,
                      std::string text) {
  const std::lock_guard lock(mutex_);
  const auto found = items_.find(item);
  if (found == items_.end()) return;
  put_locked(link_.lock().get(),
             model::raised(found->second, severity, code, std::move(text), utc_now()));
}

void OwnStatus::clear(const std::string& item) {
  const std::lock_guard lock(mutex_);
  const auto found = items_.find(item);
  if (found == items_.end()) return;
  put_locked(link_.lock().get(), model::cleared(found->second, utc_now()));
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
  const auto found = items_.find(item);
  return found == items_.end() ? model::StatusItem{} : found->second;
}

}  // namespace tidemark::subsystem
