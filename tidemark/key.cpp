#include "tidemark/key.h"

#include <atomic>
#include <mutex>

#include "model/packing.h"
#include "subsystem/session.h"

namespace tidemark::detail {

namespace api = model::api;

// ---- OwnKey -------------------------------------------------------------------------------------

Result<Unit> OwnKey::set(const Value& value, Quality quality) const {
  return session_->keys().set(number_, value, quality);
}

Value OwnKey::get() const { return session_->keys().get(number_).value; }

void OwnKey::on_read(std::function<Result<Value>()> handler) const {
  auto handlers = session_->keys().handlers(number_);
  handlers.on_read = std::move(handler);
  session_->keys().handle(number_, std::move(handlers));
}

void OwnKey::on_write(std::function<Decision(const Value&, const std::string&)> handler) const {
  auto handlers = session_->keys().handlers(number_);
  handlers.on_write = std::move(handler);
  session_->keys().handle(number_, std::move(handlers));
}

// ---- FarKey -------------------------------------------------------------------------------------

struct Listener {
  std::function<void(const Update<Value>&)> hear;
  std::atomic<bool> closed{false};

  void tell(const Update<Value>& update) const {
    if (closed) return;
    subsystem::run_guarded("a key's listener", [&] { hear(update); });
  }
};

struct FarKey::State {
  std::shared_ptr<subsystem::Session> session;
  std::string subsystem;
  std::string key;

  std::mutex mutex;
  // Guarded by mutex.
  std::shared_ptr<subsystem::KeySubscription> subscription;
  std::optional<Update<Value>> last;
  std::vector<std::shared_ptr<Listener>> listeners;

  ~State() {
    if (subscription) subscription->close();
  }
  /// Follows the key, once.
  static void follow(const std::shared_ptr<State>& self) {
    const std::lock_guard lock(self->mutex);
    if (self->subscription) return;
    self->subscription = self->session->remote_keys().subscribe(
        self->subsystem + "/" + self->key, subsystem::Policy::kLatest,
        [weak = std::weak_ptr<State>(self)](const subsystem::KeyEvent& event) {
          const auto state = weak.lock();
          if (!state) return;
          const Update<Value> update{event.key,     event.value,  event.time,  event.sequence,
                                     event.quality, event.writer, event.missed};
          std::vector<std::shared_ptr<Listener>> listeners;
          {
            const std::lock_guard again(state->mutex);
            state->last = update;
            listeners = state->listeners;
          }
          for (const auto& listener : listeners) listener->tell(update);
        });
  }
};

FarKey::FarKey(std::shared_ptr<subsystem::Session> session, std::string key)
    : state_(std::make_shared<State>()) {
  state_->session = std::move(session);
  const auto slash = key.find('/');
  state_->subsystem = key.substr(0, slash);
  if (slash != std::string::npos) state_->key = key.substr(slash + 1);
}

std::optional<Update<Value>> FarKey::last() const {
  State::follow(state_);
  const std::lock_guard lock(state_->mutex);
  return state_->last;
}

Subscription FarKey::on_change(std::function<void(const Update<Value>&)> listener) const {
  State::follow(state_);
  const auto made = std::make_shared<Listener>();
  made->hear = std::move(listener);
  // A second listener of a key that changes seldom wants to know what it is, too. He joins where
  // the updates come, so that none that is newer comes before.
  state_->session->executor()->post([state = state_, made] {
    std::optional<Update<Value>> now;
    {
      const std::lock_guard lock(state->mutex);
      if (made->closed) return;
      now = state->last;
      state->listeners.push_back(made);
    }
    if (now) made->tell(*now);
  });
  return Subscription(state_, [state = state_, made] {
    const std::lock_guard lock(state->mutex);
    made->closed = true;
    std::erase(state->listeners, made);
  });
}

Result<Update<Value>> FarKey::get(Duration patience) const {
  const auto name = state_->subsystem + "/" + state_->key;
  if (const auto refused = subsystem::Session::may_wait("reading " + name)) return *refused;
  const auto answer = state_->session->ask(state_->subsystem, "kv.read",
                                           model::pack(api::KeyRead{state_->key}), patience);
  if (!answer) return answer.error();
  const auto now = model::unpack<api::KeyUpdate>(answer.value());
  if (!now) return now.error();
  const auto& update = now.value();
  return Update<Value>{
      name, update.value, update.time, update.sequence, update.quality, update.writer, 0};
}

Result<Unit> FarKey::set(Value value, Duration patience) const {
  const auto name = state_->subsystem + "/" + state_->key;
  if (const auto refused = subsystem::Session::may_wait("writing " + name)) return *refused;
  const auto answer = state_->session->ask(
      state_->subsystem, "kv.write",
      model::pack(api::KeyWrite{state_->key, std::move(value), state_->session->user()}), patience);
  if (!answer) return answer.error();
  return Unit{};
}

void FarKey::set_later(Value value, std::function<void(Result<Unit>)> then,
                       Duration patience) const {
  state_->session->ask_later(
      state_->subsystem, "kv.write",
      model::pack(api::KeyWrite{state_->key, std::move(value), state_->session->user()}), patience,
      [then = std::move(then)](const bus::Answer& answer) {
        then(answer ? Result<Unit>(Unit{}) : Result<Unit>(answer.error()));
      });
}

}  // namespace tidemark::detail
