#include "tidemark/subsystem.h"

#include <signal.h>

#include <cstdio>
#include <thread>

#include "bus/registration.h"
#include "subsystem/session.h"

namespace tidemark {
namespace {

namespace api = model::api;

volatile sig_atomic_t end_signals = 0;

/// Calls back on SIGTERM and SIGINT, whichever thread they come to, until it goes.
class EndSignals {
 public:
  explicit EndSignals(std::function<void()> on_signal) {
    struct sigaction action {};
    action.sa_handler = [](int) { end_signals = end_signals + 1; };
    action.sa_flags = SA_RESTART;
    sigaction(SIGTERM, &action, &before_term_);
    sigaction(SIGINT, &action, &before_int_);
    thread_ = std::jthread([on_signal = std::move(on_signal)](const std::stop_token& stop) {
      for (const auto before = end_signals; !stop.stop_requested();) {
        if (end_signals != before) return on_signal();
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
  }
  ~EndSignals() {
    thread_.request_stop();
    thread_.join();
    sigaction(SIGTERM, &before_term_, nullptr);
    sigaction(SIGINT, &before_int_, nullptr);
  }

 private:
  struct sigaction before_term_ {};
  struct sigaction before_int_ {};
  std::jthread thread_;
};

}  // namespace

Subsystem::Subsystem(std::string name, SubsystemOptions options)
    : Client(std::make_shared<subsystem::Session>(subsystem::SessionOptions{
          name, std::move(options.site_file), std::move(options.description),
          std::move(options.labels), options.uuid, true, ""})) {
  note(bus::check_node_name(name));
}

Subsystem::~Subsystem() = default;

detail::OwnKey Subsystem::add(std::string key, Type type, KeyOptions options, bool writable) {
  model::kv::KeySpec spec;
  spec.name = std::move(key);
  spec.type = options.type.value_or(std::move(type));
  spec.readable = options.readable;
  spec.writable = writable;
  spec.published = options.published;
  spec.journaled = options.journaled;
  spec.unit = std::move(options.unit);
  spec.description = std::move(options.description);
  if (options.range) {
    spec.low = options.range->low;
    spec.high = options.range->high;
  }
  spec.step = options.step;
  spec.default_value = std::move(options.default_value);
  const auto number = session_->keys().add(std::move(spec));
  if (!number) {
    note(number.error());
    // start() says what is wrong; until then it must be something.
    return detail::OwnKey(session_, subsystem::OwnKeys::kNowhere);
  }
  session_->surface_changed();
  return detail::OwnKey(session_, number.value());
}

void Subsystem::on_event(std::string event, std::function<Outcome(Call&)> handler,
                         EventOptions options) {
  note(session_->events().add(
      api::EventSpec{std::move(event), std::move(options.description), std::move(options.argument)},
      [handler = std::move(handler)](subsystem::EventRun& run) -> Result<Value> {
        Call call(run);
        return handler(call);
      }));
  session_->surface_changed();
}

StatusItem Subsystem::status_item(std::string name, Latch latch) {
  note(session_->status().add(name, latch == Latch::kYes));
  return StatusItem(session_, std::move(name));
}

int Subsystem::run() {
  std::optional<Error> why;
  {
    const EndSignals signals([this] { end(); });
    const auto started = start();
    // Without a registry it goes on, and joins when there is one.
    if (!started && !session_->link()) {
      why = started.error();
    } else {
      if (!started)
        std::fprintf(stderr, "%s: %s\n", name().c_str(), started.error().message.c_str());
      why = session_->wait_for_end();
    }
    stop();
  }
  if (!why) return 0;
  std::fprintf(stderr, "%s: %s\n", name().c_str(), why->message.c_str());
  return 1;
}

void Subsystem::end() { session_->ask_to_end(std::nullopt); }

}  // namespace tidemark
