// tidemark/subsystem.h
//
// A laboratory's own node: it has a name, publishes keys, accepts writes, handles events, and is
// a Client besides.
//
//   tidemark::Subsystem psu{"psu.1"};
//   auto current  = psu.publish<double>("current", {.unit = "A"});
//   auto setpoint = psu.writable<double>("setpoint", {.unit = "A", .range = {{0, 100}}});
//   setpoint.on_write([&](double) { return interlock() ? reject("interlock open") : accept(); });
//   psu.on_event("degauss", [&](Call& call) { …; return done(); });
//   return psu.run();   // registers, heartbeats, registers again; returns on SIGTERM or Ctrl-C

#pragma once

#include <optional>

#include "tidemark/client.h"

namespace tidemark {

struct SubsystemOptions {
  std::string site_file{};  // empty: $TIDEMARK_SITE, else ./site.toml
  std::string description{};
  std::vector<std::string> labels{};  // groups that it belongs to, for calls
  std::optional<Uuid> uuid{};         // its identity for ever; none: from the site and its name
};

/// What an event is, besides its name.
struct EventOptions {
  std::string description{};
  Type argument{};  // any
};

class Subsystem : public Client {
 public:
  /// `name`: 1 to 64 letters, digits, `.`, `-`, `_`. Only one of that name lives at a time: a
  /// second start of the same takes the place of the first, which ends.
  explicit Subsystem(std::string name, SubsystemOptions options = {});
  ~Subsystem() override;

  // ---- what it offers: before start(), or after

  template <class T>
  Published<T> publish(std::string key, KeyOptions options = {}) {
    return Published<T>(add(std::move(key), detail::declared_type<T>(), std::move(options), false));
  }
  template <class T>
  Writable<T> writable(std::string key, KeyOptions options = {}) {
    return Writable<T>(add(std::move(key), detail::declared_type<T>(), std::move(options), true));
  }
  void on_event(std::string event, std::function<Outcome(Call&)> handler,
                EventOptions options = {});
  StatusItem status_item(std::string name, Latch latch = Latch::kNo);

  /// start(), then waits for SIGTERM, SIGINT, end(), or a newer incarnation, then stop(). The
  /// answer is for main(): 0, or 1 with the reason on standard error.
  int run();
  /// Ends run(). Threads: any.
  void end();

 private:
  detail::OwnKey add(std::string key, Type type, KeyOptions options, bool writable);
};

}  // namespace tidemark
