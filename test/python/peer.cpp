// test/python/peer.cpp
//
// A subsystem on the library in C++, for the tests of the Python client: it offers keys of every
// kind, hears what a subsystem in Python publishes, writes to it, and calls its events.
//
// Usage: python_peer <site file>. Ends with SIGTERM.

#include <string>

#include "tidemark/subsystem.h"

using namespace tidemark;
using model::kv::enum_of;
using model::kv::parse_type;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Subsystem peer("cpp", {.site_file = argv[1], .description = "in C++", .labels = {"peers"}});

  auto current = peer.publish<double>("current", {.unit = "A", .default_value = Value(1.5)});
  auto setpoint =
      peer.writable<double>("setpoint", {.unit = "A", .range = {{0, 100}}, .step = 0.5});
  setpoint.on_write([&](double amps) {
    if (amps == 66) return reject("interlock open");
    current = amps;
    return accept();
  });
  // What is written comes back as it was taken.
  const auto echo = [&](const char* name, const char* type) {
    KeyOptions options;
    options.type = parse_type(type).value();
    peer.writable<Value>(name, std::move(options));
  };
  echo("any", "any");
  echo("bool", "bool");
  echo("int64", "int64");
  echo("uint64", "uint64");
  echo("double", "double");
  echo("string", "string");
  echo("bytes", "bytes");
  echo("enum", "enum(off|on|\"in position\")");
  echo("timestamp", "timestamp");
  echo("duration", "duration");
  echo("array", "int64[3]");
  echo("struct", "{x: double, n: int64[]}");

  auto heard = peer.publish<Value>("heard");
  auto listening = peer.subscribe("py/*", [&](const Update<Value>& now) {
    (void)heard.set(Struct{{"key", Value(now.key)},
                           {"value", now.value},
                           {"sequence", Value(now.sequence)},
                           {"quality", Value(std::string(to_string(now.quality)))}});
  });
  auto status = peer.publish<Value>("status");
  auto watching = peer.watch_status("py", [&](const std::string&, const model::StatusItem& item) {
    (void)status.set(Array{Value(item.name), Value(item.text), Value(item.active)});
  });

  auto door = peer.status_item("door", latched);
  peer.on_event("raise", [&](Call& call) {
    door.raise(Severity::kWarning, 3, model::kv::to_text(call.argument()));
    return done();
  });
  peer.on_event("count", [&](Call& call) -> Outcome {
    for (int each = 1; each <= 3; ++each) call.feedback("count " + std::to_string(each), each);
    if (call.argument().is_none()) return veto("nothing to count");
    return done(call.argument());
  });
  // Writes what it is given to a key in Python, and answers how that went.
  peer.on_event("write", [&](Call& call) -> Outcome {
    const auto taken = peer.key<Value>("py/setpoint").set(call.argument());
    return done(taken ? std::string("taken") : taken.error().message);
  });
  peer.on_event("call", [&](Call& call) -> Outcome {
    const auto result = peer.call("py-event", call.argument(), to("py"), std::chrono::seconds(5));
    if (!result.all_done()) return done(result.objections());
    return done(result.targets().at("py").value);
  });

  return peer.run();
}
