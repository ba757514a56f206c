#include "tidemark/past_value.h"

namespace tidemark::detail {

void apply(const model::PvUpdate& update, PastValue& pv) {
  using Event = model::PvUpdate::Event;
  switch (update.event) {
    case Event::kValue:
      pv.value = update.value;
      pv.alarm = update.alarm;
      pv.taken_at = update.taken_at;
      break;
    case Event::kConnected:
      pv.connected = true;
      pv.units = update.meta->units;
      pv.labels = update.meta->labels;
      break;
    case Event::kDisconnected: pv.connected = false; break;
  }
}

}  // namespace tidemark::detail
