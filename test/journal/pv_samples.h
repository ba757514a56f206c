// test/journal/pv_samples.h
//
// PV updates of every kind, for property tests.

#pragma once

#include <rapidcheck.h>

#include "journal_samples.h"
#include "model/pv_update.h"

namespace tidemark::journal {

inline rc::Gen<model::PvValue> any_value() {
  return rc::gen::exec([]() -> model::PvValue {
    switch (*rc::gen::inRange(0, 9)) {
      case 0: return *rc::gen::arbitrary<std::int32_t>();
      case 1: return *rc::gen::arbitrary<float>();
      case 2: return model::EnumIndex{*rc::gen::inRange<std::uint16_t>(0, 4)};
      case 3: return *rc::gen::arbitrary<std::string>();
      case 4: return model::SharedArray(*rc::gen::arbitrary<std::vector<double>>());
      default: return *rc::gen::arbitrary<double>();
    }
  });
}

/// Of channels 1 to `channels`.
inline rc::Gen<model::PvUpdate> any_update(std::uint32_t channels) {
  return rc::gen::exec([channels] {
    model::PvUpdate update;
    update.channel = model::ChannelId{*rc::gen::inRange<std::uint32_t>(1, channels + 1)};
    update.taken_at = at_second(*rc::gen::inRange(-1000, 1000));
    switch (*rc::gen::inRange(0, 12)) {
      case 0: {
        model::PvMeta meta;
        meta.units = *rc::gen::element<std::string>("A", "kG");
        meta.native_type = "double";
        update.event = model::PvUpdate::Event::kConnected;
        update.meta = std::make_shared<model::PvMeta>(meta);
        break;
      }
      case 1: update.event = model::PvUpdate::Event::kDisconnected; break;
      default:
        update.value = *any_value();
        update.alarm.severity = static_cast<model::Severity>(*rc::gen::inRange(0, 4));
        update.hidden_before = *rc::gen::element<std::uint32_t>(0, 0, 0, 7);
    }
    return update;
  });
}

}  // namespace tidemark::journal
