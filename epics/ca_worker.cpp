#include <cadef.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>
#include <tuple>
#include <utility>

#include "epics/ca_client_impl.h"
#include "epics/put_value.h"

namespace tidemark::epics {

using model::PvUpdate;

namespace {

constexpr auto kClosePatience = std::chrono::seconds(2);

}  // namespace

void CaClient::run() {
  while (take_inbox()) {
    const auto now = steady_now();
    expire(now);
    search();
    check_patience(now);
    send_puts();
    send_asks();
    flush();
    deliver();
    wait();
  }
  stop();
}

void CaClient::wait() {
  auto wake_at = search_.next_step();
  const auto earlier = [&](SteadyTime at) {
    if (!wake_at || at < *wake_at) wake_at = at;
  };
  if (window_.deadline()) earlier(*window_.deadline());
  for (const auto& [number, batch] : reads_) earlier(batch.deadline);
  if (!unproven_.empty()) earlier(unproven_.front()->created_at + kConnectPatience);

  int timeout_ms = -1;
  if (wake_at) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*wake_at - steady_now());
    timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
  }
  pollfd polled[2] = {{wake_fd_, POLLIN, 0}, {socket_ ? socket_->descriptor() : -1, POLLIN, 0}};
  ::poll(polled, 2, timeout_ms);
}

/// False when the client is to stop.
bool CaClient::take_inbox() {
  std::vector<Command> commands;
  std::vector<Event> events;
  std::vector<ReadDone> reads_done;
  std::vector<PutDone> puts_done;
  {
    const std::lock_guard lock(inbox_mutex_);
    if (stop_) return false;
    if (std::exchange(woken_, false)) {
      std::uint64_t count = 0;
      std::ignore = ::read(wake_fd_, &count, sizeof count);
    }
    commands.swap(commands_);
    events.swap(events_);
    reads_done.swap(reads_done_);
    puts_done.swap(puts_done_);
  }
  for (auto& event : events) take(std::move(event));
  for (auto& command : commands) {
    std::visit([this](auto& each) { take(std::move(each)); }, command);
  }
  for (auto& done : reads_done) take(std::move(done));
  for (auto& done : puts_done) take(done);
  return true;
}

void CaClient::stop() {
  destroy_contexts();
  std::vector<Command> commands;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, channel] : by_id_) channel->connected = false;
  }
  {
    const std::lock_guard lock(inbox_mutex_);
    commands.swap(commands_);
  }
  for (auto& command : commands) {
    if (auto* read = std::get_if<ReadCommand>(&command)) take(std::move(*read));
    if (auto* put = std::get_if<PutCommand>(&command)) take(std::move(*put));
  }
  std::vector<std::uint64_t> reads;
  for (const auto& [number, batch] : reads_) reads.push_back(number);
  for (const auto number : reads) finish_read(number, "the client was closed");
  while (!puts_.empty()) {
    lose_puts(*ChannelPtr(puts_.begin()->second.channel),
              "the client was closed before it was sent");
  }
  deliver();
}

/// libca waits up to 30 s for an IOC that does not close its end, and nobody waits so long for us.
/// Then a thread is left behind, and keeps this object for the callbacks that may still come.
/// One context after the other: see ca_client_impl.h about several circuits at a time.
void CaClient::destroy_contexts() {
  if (attached_) ca_detach_context();
  attached_.reset();
  std::promise<void> promise;
  const auto gone = promise.get_future();
  std::thread([self = shared_from_this(), contexts = contexts_,
               done = std::move(promise)]() mutable {
    for (const auto& context : contexts) {
      ca_attach_context(context.ca);
      ca_context_destroy();
    }
    self.reset();
    done.set_value();
  }).detach();
  if (gone.wait_for(kClosePatience) != std::future_status::ready) {
    spdlog::warn("epics: an IOC does not close its connection; left to libca");
  }
}

void CaClient::expire(SteadyTime now) {
  for (const auto id : window_.expire(now)) {
    finish(id, PutState::kUnknown, puts_.at(id).channel->address + ": no answer in time");
  }
  std::vector<std::uint64_t> late;
  for (const auto& [number, batch] : reads_) {
    if (batch.deadline <= now) late.push_back(number);
  }
  for (const auto number : late) finish_read(number, "no answer in time");
  if (!late.empty()) drop_late_asks();
}

// ---- reads

void CaClient::take(ReadCommand command) {
  const auto number = next_read_++;
  auto& batch = reads_[number];
  batch.outcomes.resize(command.ids.size());
  batch.done.resize(command.ids.size());
  batch.deadline = command.deadline;
  batch.on_done = std::move(command.on_done);
  std::vector<std::pair<ChannelPtr, std::uint64_t>> asked;
  for (std::size_t i = 0; i < command.ids.size(); ++i) {
    auto& outcome = batch.outcomes[i];
    outcome.update.channel = command.ids[i];
    batch.done[i] = true;
    const auto& channel = command.channels[i];
    if (!channel || channel->removed) {
      outcome.error = "channel " + std::to_string(model::raw(command.ids[i])) + " is not known";
    } else if (!channel->connected) {
      outcome.error = channel->address + " is not connected";
    } else {
      batch.done[i] = false;
      ++batch.open;
      asked.push_back({channel, number << 32 | i});
    }
  }
  if (asked.empty()) finish_read(number, "");
  for (const auto& [channel, token] : asked) ask(channel, token);
}

void CaClient::take(ReadDone done) {
  if (done.channel) ask_answered(*done.channel);
  const auto number = done.token >> 32;
  const auto i = static_cast<std::size_t>(done.token & 0xffffffff);
  const auto at = reads_.find(number);
  if (at == reads_.end()) return;  // It came after the deadline.
  auto& batch = at->second;
  batch.done[i] = true;
  if (done.status == ECA_NORMAL) {
    batch.outcomes[i].update = std::move(done.update);
  } else {
    batch.outcomes[i].error = ca_message(done.status);
  }
  if (--batch.open == 0) finish_read(number, "");
}

void CaClient::finish_read(std::uint64_t number, const std::string& open_error) {
  auto batch = std::move(reads_.extract(number).mapped());
  for (std::size_t i = 0; i < batch.done.size(); ++i) {
    if (!batch.done[i]) batch.outcomes[i].error = open_error;
  }
  batch.on_done(std::move(batch.outcomes));
}

// ---- puts

void CaClient::take(PutCommand command) {
  if (command.puts.empty()) return;
  const auto batch = std::make_shared<PutBatch>();
  batch->on_outcomes = std::move(command.on_outcomes);
  for (std::size_t i = 0; i < command.puts.size(); ++i) {
    auto& put = command.puts[i];
    const auto& channel = command.channels[i];
    const auto refuse = [&](std::string reason) {
      settle(batch, {put.channel, PutState::kRefused, std::move(reason)});
    };
    if (!channel || channel->removed) {
      refuse("channel " + std::to_string(model::raw(put.channel)) + " is not known");
    } else if (!channel->connected || !channel->meta) {
      refuse(channel->address + " is not connected");
    } else if (!channel->meta->writable) {
      refuse(channel->address + ": no write access");
    } else if (auto value = to_native(put.value, *channel->meta); !value.ok()) {
      refuse(channel->address + ": " + value.error().message);
    } else {
      const PutId id{next_put_++};
      puts_.emplace(id, PutJob{batch, channel, std::move(value).value()});
      window_.add(channel->meta->host, channel->lane, id, command.timeout);
    }
  }
}

void CaClient::send_puts() {
  // A put that libca refuses makes room for the next.
  for (auto ids = window_.next(steady_now()); !ids.empty(); ids = window_.next(steady_now())) {
    for (const auto id : ids) send_put(id);
  }
  puts_in_flight_ = window_.in_flight();
}

void CaClient::send_put(PutId id) {
  const auto& job = puts_.at(id);
  const auto& channel = *job.channel;
  attach(channel.context);
  contexts_[channel.context].dirty = true;
  const dbr::Native native{
      ca_field_type(channel.ca), channel.meta->count,
      channel.long_string && channel.meta->native_type == "string" && channel.meta->count > 1};
  const auto raw = dbr::write(native, job.value);
  const int status = native.field < 0
                         ? ECA_DISCONN
                         : ca_array_put_callback(raw.type, raw.count, channel.ca, raw.bytes.data(),
                                                 on_put, as_user(static_cast<std::uint64_t>(id)));
  if (status == ECA_NORMAL) return;
  window_.complete(id);
  finish(id, PutState::kRefused, channel.address + ": " + ca_message(status));
}

void CaClient::take(PutDone done) {
  if (!window_.complete(done.id)) return;  // It came after the deadline.
  const auto& address = puts_.at(done.id).channel->address;
  if (done.status == ECA_NORMAL) {
    finish(done.id, PutState::kConfirmed, "");
  } else if (done.status == ECA_DISCONN) {
    finish(done.id, PutState::kUnknown, address + ": the connection was lost before the answer");
  } else {
    finish(done.id, PutState::kRefused, address + ": " + ca_message(done.status));
  }
}

void CaClient::lose_puts(Channel& channel, const char* waiting_reason) {
  const auto lost = window_.lose(channel.lane);
  for (const auto id : lost.in_flight) {
    finish(id, PutState::kUnknown, channel.address + ": the connection was lost before the answer");
  }
  for (const auto id : lost.waiting) {
    finish(id, PutState::kRefused, channel.address + ": " + waiting_reason);
  }
}

void CaClient::finish(PutId id, PutState state, std::string reason) {
  const auto job = std::move(puts_.extract(id).mapped());
  settle(job.batch, {job.channel->id, state, std::move(reason)});
}

void CaClient::settle(const std::shared_ptr<PutBatch>& batch, PutOutcome outcome) {
  batch->outcomes.push_back(std::move(outcome));
  if (!std::exchange(batch->queued, true)) settled_.push_back(batch);
}

void CaClient::deliver() {
  for (const auto& batch : std::exchange(settled_, {})) {
    batch->queued = false;
    batch->on_outcomes(std::exchange(batch->outcomes, {}));
  }
}

}  // namespace tidemark::epics
