// An experiment controller: asks everybody whether they mind, sets the magnets, and takes a shot
// between two marks. Ends with 0 when the shot was taken, 1 when somebody objected.
//
//   experiment "shot 42" 12.5   (the site file: $TIDEMARK_SITE, else ./site.toml)

#include <tidemark/client.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

using namespace tidemark;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  if (argc > 3 || (argc >= 2 && argv[1][0] == '-')) {
    std::fprintf(stderr,
                 "usage: experiment [TITLE [AMPS]]   (shot 10; the site file: "
                 "$TIDEMARK_SITE, else ./site.toml)\n");
    return 2;
  }
  const std::string title = argc > 1 ? argv[1] : "shot";
  const double amps = argc > 2 ? std::atof(argv[2]) : 10;

  Client site;
  if (const auto started = site.start(); !started) {
    std::fprintf(stderr, "experiment: %s\n", started.error().message.c_str());
    return 1;
  }

  // Long enough for a registry that has just started to know everybody who may object.
  const auto answer = site.call("may-expose", {}, everybody(), 5s);
  if (!answer.all_done()) {
    std::printf("no: %s\n", answer.objections().c_str());
    site.log(Severity::kWarning, title + " not taken: " + answer.objections());
    site.stop();
    return 1;
  }

  const auto shot = site.begin_mark(title, Struct{{"amps", amps}}, {"shot"});
  const auto written = site.key<double>("psu.1/setpoint").set(amps);
  if (!written) std::printf("psu.1: %s\n", written.error().message.c_str());

  const auto current = site.key<double>("psu.1/current");
  double reached = 0;
  for (int i = 0; i < 100 && reached < amps; ++i) {
    if (const auto now = current.get()) reached = now.value();
    std::this_thread::sleep_for(20ms);
  }
  site.end_mark(shot, Struct{{"reached", reached}});
  std::printf("%s: %.1f A\n", title.c_str(), reached);
  site.stop();
  return written && reached >= amps ? 0 : 1;
}
