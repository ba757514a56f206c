// A simulated magnet power supply: its current follows the setpoint that others write, its
// interlock refuses them, and it can be degaussed.
//
//   power_supply psu.1          (the site file: $TIDEMARK_SITE, else ./site.toml)
//   tidemark kv set psu.1/setpoint 12.5
//   tidemark event call degauss --to psu.1

#include <tidemark/subsystem.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <thread>

using namespace tidemark;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
    std::fprintf(stderr,
                 "usage: power_supply [NAME]   (psu.1; the site file: $TIDEMARK_SITE, else "
                 "./site.toml)\n");
    return 2;
  }
  Subsystem psu{argc > 1 ? argv[1] : "psu.1",
                {.description = "simulated power supply", .labels = {"magnets"}}};

  std::atomic<double> wanted{0};
  std::atomic<bool> open{false};

  const auto current = psu.publish<double>("current", {.unit = "A"});
  const auto setpoint =
      psu.writable<double>("setpoint", {.unit = "A", .range = {{0, 100}}, .default_value = 0.0});
  const auto door = psu.writable<bool>("door_open", {.default_value = false});
  const auto interlock = psu.status_item("interlock", latched);

  setpoint.on_write([&](double amps) {
    if (open) return reject("interlock open");
    wanted = amps;
    return accept();
  });
  door.on_write([&](bool is_open) {
    open = is_open;
    if (is_open) {
      wanted = 0;
      interlock.raise(Severity::kError, 12, "door open");
    } else {
      interlock.clear();
    }
    return accept();
  });
  psu.on_event("degauss", [&](Call& call) {
    if (open) return veto("interlock open");
    for (int cycle = 1; cycle <= 3; ++cycle) {
      call.feedback("cycle " + std::to_string(cycle) + " of 3", cycle);
      if (!call.wait(100ms)) return cancelled();
    }
    return done();
  });

  std::jthread ramp([&](const std::stop_token& stop) {
    for (double now = 0; !stop.stop_requested(); std::this_thread::sleep_for(20ms)) {
      const double step = wanted - now;
      if (std::abs(step) < 1e-9) continue;
      now += std::abs(step) < 0.5 ? step : std::copysign(0.5, step);
      current = now;
    }
  });
  return psu.run();
}
