// A shutter that minds: it objects to an exposure while it is closed or its air is low.
//
//   shutter_interlock shutter.1   (the site file: $TIDEMARK_SITE, else ./site.toml)
//   tidemark kv set shutter.1/state open
//   tidemark event call may-expose --everybody

#include <tidemark/subsystem.h>

#include <cstdio>

using namespace tidemark;

int main(int argc, char** argv) {
  if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
    std::fprintf(stderr,
                 "usage: shutter_interlock [NAME]   (shutter.1; the site file: "
                 "$TIDEMARK_SITE, else ./site.toml)\n");
    return 2;
  }
  Subsystem shutter{argc > 1 ? argv[1] : "shutter.1", {.description = "simulated shutter"}};

  const auto state = shutter.writable<EnumValue>(
      "state",
      {.default_value = EnumValue{0, "closed"}, .type = model::kv::enum_of({"closed", "open"})});
  const auto air =
      shutter.writable<double>("air", {.unit = "bar", .range = {{0, 10}}, .default_value = 6.0});

  shutter.on_event("may-expose", [&](Call&) {
    if (state.value().index == 0) return veto("shutter closed");
    if (air.value() < 4) return veto("air pressure is low");
    return done();
  });
  return shutter.run();
}
