#include "test/support/fake_ioc.h"

#include "base/check.h"
#include "epics/put_value.h"

namespace tidemark::test {

using epics::PutId;
using epics::PutOutcome;
using epics::PutState;
using model::ChannelId;
using model::PvUpdate;

FakeIoc::FakeIoc(std::function<void()> wake, epics::ClientLimits limits)
    : queue_(limits.queue_updates_max, std::move(wake)), window_(limits.puts_per_ioc) {}

// ---- the IOC -----------------------------------------------------------------------------------

void FakeIoc::define(const std::string& name, model::PvValue value, model::PvMeta meta) {
  {
    const std::lock_guard lock(mutex_);
    auto& pv = pvs_[name];
    if (pv.meta) set_connected(name, pv, false);
    if (meta.native_type.empty()) meta.native_type = model::type_name(value);
    if (meta.host.empty()) meta.host = "fake:5064";
    pv = Pv{std::move(value),
            {},
            utc_now(),
            std::make_shared<model::PvMeta>(std::move(meta)),
            false,
            ""};
    set_connected(name, pv, true);
  }
  deliver();
}

void FakeIoc::set(const std::string& name, model::PvValue value, model::Alarm alarm) {
  set(name, std::move(value), alarm, utc_now());
}

void FakeIoc::set(const std::string& name, model::PvValue value, model::Alarm alarm,
                  UtcTime taken_at) {
  const std::lock_guard lock(mutex_);
  auto& pv = pvs_.at(name);
  pv.value = std::move(value);
  pv.alarm = alarm;
  pv.taken_at = taken_at;
  if (!pv.connected) return;
  for (const auto& [id, channel] : channels_) {
    if (channel.address == name) push_value(id, channel, pv);
  }
}

void FakeIoc::disconnect(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    set_connected(name, pvs_.at(name), false);
  }
  deliver();
}

void FakeIoc::connect(const std::string& name) {
  const std::lock_guard lock(mutex_);
  set_connected(name, pvs_.at(name), true);
}

void FakeIoc::disconnect_all() {
  {
    const std::lock_guard lock(mutex_);
    for (auto& [name, pv] : pvs_) set_connected(name, pv, false);
  }
  deliver();
}

void FakeIoc::connect_all() {
  const std::lock_guard lock(mutex_);
  for (auto& [name, pv] : pvs_) set_connected(name, pv, true);
}

void FakeIoc::refuse_puts(const std::string& name, std::string reason) {
  const std::lock_guard lock(mutex_);
  pvs_.at(name).refuses = std::move(reason);
}

void FakeIoc::hold_puts() {
  const std::lock_guard lock(mutex_);
  holds_puts_ = true;
}

void FakeIoc::release_puts() {
  {
    const std::lock_guard lock(mutex_);
    holds_puts_ = false;
    for (const auto id : std::exchange(held_puts_, {})) {
      if (window_.complete(id)) finish(id, PutState::kConfirmed, "");
    }
    pump_puts();
  }
  deliver();
}

void FakeIoc::expire_puts() {
  {
    const std::lock_guard lock(mutex_);
    for (const auto id : window_.expire(SteadyTime::max())) {
      finish(id, PutState::kUnknown, puts_.at(id).address + ": no answer in time");
    }
    pump_puts();
  }
  deliver();
}

void FakeIoc::hold_reads() {
  const std::lock_guard lock(mutex_);
  holds_reads_ = true;
}

void FakeIoc::release_reads() {
  answer_reads(true);
  const std::lock_guard lock(mutex_);
  holds_reads_ = false;
}

void FakeIoc::expire_reads() { answer_reads(false); }

std::vector<std::pair<std::string, model::PvValue>> FakeIoc::written() const {
  const std::lock_guard lock(mutex_);
  return written_;
}

std::optional<model::PvValue> FakeIoc::value(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto at = pvs_.find(name);
  if (at == pvs_.end()) return std::nullopt;
  return at->second.value;
}

// ---- the Client --------------------------------------------------------------------------------

void FakeIoc::add(std::vector<epics::ChannelSpec> specs) {
  for (auto& spec : specs) {
    remove({spec.id});
    const std::lock_guard lock(mutex_);
    auto& channel = channels_[spec.id];
    channel.address = std::move(spec.address);
    channel.lane = epics::PutLane{next_lane_++};
    const auto* pv = pv_of(channel);
    if (pv != nullptr && pv->connected) push_connected(spec.id, channel, *pv);
  }
}

void FakeIoc::remove(std::vector<ChannelId> ids) {
  {
    const std::lock_guard lock(mutex_);
    std::vector<epics::UpdateQueue::Tap*> taps;
    for (const auto id : ids) {
      const auto at = channels_.find(id);
      if (at == channels_.end()) continue;
      lose_puts(at->second);
      taps.push_back(at->second.tap.get());
    }
    queue_.close(taps, ids);
    for (const auto id : ids) channels_.erase(id);
  }
  deliver();
}

std::vector<PvUpdate> FakeIoc::drain() { return queue_.drain(); }

void FakeIoc::read(std::vector<ChannelId> ids, Duration,
                   std::function<void(std::vector<epics::ReadOutcome>)> on_done) {
  std::vector<epics::ReadOutcome> outcomes;
  {
    const std::lock_guard lock(mutex_);
    if (holds_reads_) {
      held_reads_.push_back({std::move(ids), std::move(on_done)});
      return;
    }
    outcomes = answer(ids, true);
  }
  on_done(std::move(outcomes));
}

void FakeIoc::put(std::vector<epics::Put> puts, Duration timeout, OnOutcomes on_outcomes) {
  {
    const std::lock_guard lock(mutex_);
    const auto batch = std::make_shared<PutBatch>();
    batch->on_outcomes = std::move(on_outcomes);
    for (auto& put : puts) {
      const auto refuse = [&](std::string reason) {
        settle(batch, {put.channel, PutState::kRefused, std::move(reason)});
      };
      const auto channel = channels_.find(put.channel);
      if (channel == channels_.end()) {
        refuse("channel " + std::to_string(model::raw(put.channel)) + " is not known");
        continue;
      }
      const auto& address = channel->second.address;
      const auto* pv = pv_of(channel->second);
      if (pv == nullptr || !pv->connected) {
        refuse(address + " is not connected");
      } else if (!pv->meta->writable) {
        refuse(address + ": no write access");
      } else if (auto value = epics::to_native(put.value, *pv->meta); !value.ok()) {
        refuse(address + ": " + value.error().message);
      } else {
        const PutId id{next_put_++};
        puts_.emplace(id, PutJob{batch, put.channel, address, std::move(value).value()});
        window_.add(pv->meta->host, channel->second.lane, id, timeout);
      }
    }
    pump_puts();
  }
  deliver();
}

epics::ClientStatus FakeIoc::status() const {
  const std::lock_guard lock(mutex_);
  epics::ClientStatus status;
  status.channels = static_cast<std::uint32_t>(channels_.size());
  for (const auto& [id, channel] : channels_) {
    const auto pv = pvs_.find(channel.address);
    if (pv != pvs_.end() && pv->second.connected) ++status.connected;
    if (!channel.ever_connected) ++status.never_connected;
  }
  status.updates = queue_.pushed();
  status.hidden = queue_.hidden();
  status.puts_in_flight = window_.in_flight();
  return status;
}

// ---- inside ------------------------------------------------------------------------------------

FakeIoc::Pv* FakeIoc::pv_of(const Channel& channel) {
  const auto at = pvs_.find(channel.address);
  return at == pvs_.end() ? nullptr : &at->second;
}

void FakeIoc::push_connected(ChannelId id, Channel& channel, const Pv& pv) {
  channel.ever_connected = true;
  PvUpdate update;
  update.channel = id;
  update.event = PvUpdate::Event::kConnected;
  update.taken_at = utc_now();
  update.meta = pv.meta;
  queue_.push(*channel.tap, std::move(update));
  push_value(id, channel, pv);
}

void FakeIoc::push_value(ChannelId id, const Channel& channel, const Pv& pv) {
  if (!pv.meta->readable) return;
  PvUpdate update;
  update.channel = id;
  update.alarm = pv.alarm;
  update.taken_at = pv.taken_at;
  update.value = pv.value;
  queue_.push(*channel.tap, std::move(update));
}

void FakeIoc::set_connected(const std::string& name, Pv& pv, bool connected) {
  if (pv.connected == connected) return;
  pv.connected = connected;
  for (auto& [id, channel] : channels_) {
    if (channel.address != name) continue;
    if (connected) {
      push_connected(id, channel, pv);
      continue;
    }
    lose_puts(channel);
    PvUpdate update;
    update.channel = id;
    update.event = PvUpdate::Event::kDisconnected;
    update.taken_at = utc_now();
    queue_.push(*channel.tap, std::move(update));
  }
}

void FakeIoc::lose_puts(const Channel& channel) {
  const auto lost = window_.lose(channel.lane);
  for (const auto id : lost.in_flight) {
    finish(id, PutState::kUnknown, channel.address + ": the connection was lost before the answer");
  }
  for (const auto id : lost.waiting) {
    finish(id, PutState::kRefused,
           channel.address + ": the connection was lost before it was sent");
  }
}

void FakeIoc::pump_puts() {
  const auto now = SteadyTime{};  // Deadlines come with expire_puts().
  for (auto ids = window_.next(now); !ids.empty(); ids = window_.next(now)) {
    for (const auto id : ids) {
      const auto& job = puts_.at(id);
      auto& pv = pvs_.at(job.address);
      if (!pv.refuses.empty()) {
        window_.complete(id);
        finish(id, PutState::kRefused, job.address + ": " + pv.refuses);
        continue;
      }
      written_.emplace_back(job.address, job.value);
      pv.value = job.value;
      pv.taken_at = utc_now();
      for (const auto& [other, channel] : channels_) {
        if (channel.address == job.address) push_value(other, channel, pv);
      }
      if (holds_puts_) {
        held_puts_.push_back(id);
      } else {
        window_.complete(id);
        finish(id, PutState::kConfirmed, "");
      }
    }
  }
}

void FakeIoc::finish(PutId id, PutState state, std::string reason) {
  const auto job = std::move(puts_.extract(id).mapped());
  settle(job.batch, {job.channel, state, std::move(reason)});
}

void FakeIoc::settle(const std::shared_ptr<PutBatch>& batch, PutOutcome outcome) {
  if (batch->outcomes.empty()) settled_.push_back(batch);
  batch->outcomes.push_back(std::move(outcome));
}

void FakeIoc::deliver() {
  std::vector<std::pair<std::shared_ptr<PutBatch>, std::vector<PutOutcome>>> taken;
  {
    const std::lock_guard lock(mutex_);
    for (auto& batch : std::exchange(settled_, {})) {
      auto outcomes = std::exchange(batch->outcomes, {});
      taken.emplace_back(std::move(batch), std::move(outcomes));
    }
  }
  for (auto& [batch, outcomes] : taken) batch->on_outcomes(std::move(outcomes));
}

std::vector<epics::ReadOutcome> FakeIoc::answer(const std::vector<ChannelId>& ids, bool in_time) {
  std::vector<epics::ReadOutcome> outcomes;
  outcomes.reserve(ids.size());
  for (const auto id : ids) {
    auto& outcome = outcomes.emplace_back();
    outcome.update.channel = id;
    const auto channel = channels_.find(id);
    if (channel == channels_.end()) {
      outcome.error = "channel " + std::to_string(model::raw(id)) + " is not known";
      continue;
    }
    const auto* pv = pv_of(channel->second);
    const auto& address = channel->second.address;
    if (pv == nullptr || !pv->connected) {
      outcome.error = address + " is not connected";
    } else if (!pv->meta->readable) {
      outcome.error = address + ": no read access";
    } else if (!in_time) {
      outcome.error = address + ": no answer in time";
    } else {
      outcome.update.alarm = pv->alarm;
      outcome.update.taken_at = pv->taken_at;
      outcome.update.value = pv->value;
    }
  }
  return outcomes;
}

void FakeIoc::answer_reads(bool in_time) {
  std::vector<std::pair<Read, std::vector<epics::ReadOutcome>>> taken;
  {
    const std::lock_guard lock(mutex_);
    for (auto& read : std::exchange(held_reads_, {})) {
      auto outcomes = answer(read.channels, in_time);
      taken.emplace_back(std::move(read), std::move(outcomes));
    }
  }
  for (auto& [read, outcomes] : taken) read.on_done(std::move(outcomes));
}

}  // namespace tidemark::test
