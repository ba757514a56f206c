#include "tidemark/event.h"

#include "subsystem/own_events.h"

namespace tidemark {

const Value& Call::argument() const { return run_.asked().argument; }
const std::string& Call::caller() const { return run_.asked().caller; }
SteadyTime Call::deadline() const { return run_.deadline(); }
void Call::feedback(std::string text, Value progress) const {
  run_.feedback(std::move(text), std::move(progress));
}
bool Call::cancelled() const { return run_.cancelled(); }
bool Call::wait(Duration duration) const { return run_.wait(duration); }

}  // namespace tidemark
