// test/actors/fake_journal.h
//
// The journal as an outbox sees it: takes records in order, and acknowledges when the test lets
// it.

#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "actors/outbox.h"
#include "model/api/journal.h"
#include "test/support/fake_link.h"

namespace tidemark::actors {

class FakeJournal {
 public:
  explicit FakeJournal(test::FakeLink& link) {
    link.on("journal.append", [this](const bus::Call& call) {
      if (holding_) {
        held_.push_back(call);
      } else {
        take(call);
      }
    });
  }

  /// Nothing is durable, and nobody answered, until release().
  void hold() { holding_ = true; }
  void release() {
    holding_ = false;
    for (const auto& call : std::exchange(held_, {})) take(call);
  }

  const std::vector<model::Record>& records() const { return records_; }
  const std::vector<model::PvUpdate>& updates() const { return updates_; }
  /// Kinds of the records, in order.
  std::vector<model::RecordKind> kinds() const {
    std::vector<model::RecordKind> kinds;
    for (const auto& each : records_) kinds.push_back(model::kind_of(each));
    return kinds;
  }
  template <class T>
  std::vector<T> all() const {
    std::vector<T> some;
    for (const auto& each : records_) {
      if (const auto* record = std::get_if<T>(&each)) some.push_back(*record);
    }
    return some;
  }

 private:
  void take(const bus::Call& call) {
    const auto request = model::unpack<model::api::AppendRequest>(call.payload()).value();
    for (const auto& section : request.sections) {
      if (section.sequence <= through_) continue;
      through_ = section.sequence + section.count - 1;
      if (section.format == static_cast<std::uint8_t>(journal::SectionFormat::kUpdates)) {
        for (auto& each : model::decode_updates(section.payload.bytes).value()) {
          updates_.push_back(std::move(each));
        }
      } else {
        for (auto& each : model::decode_records(section.payload.bytes).value()) {
          records_.push_back(std::move(each));
        }
      }
    }
    call.done(model::pack(model::api::AppendReply{through_, records_.size() + updates_.size()}));
  }

  bool holding_ = false;
  std::vector<bus::Call> held_;
  std::uint64_t through_ = 0;
  std::vector<model::Record> records_;
  std::vector<model::PvUpdate> updates_;
};

}  // namespace tidemark::actors
