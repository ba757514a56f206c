// test/bus/journal_on_link.h
//
// A journal without actors: an Intake and a Store that answer journal.append on a Link. As
// actors/journal.cpp it gathers requests, commits them as one block, and answers only then; a
// process that ends before has stored nothing of them.

#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "actors/intake.h"
#include "bus/link.h"
#include "journal/store.h"
#include "model/api/journal.h"

namespace tidemark::bus {

/// Lives as long as its link: the link's callbacks hold it. Only on the loop thread.
class JournalOnLink {
 public:
  struct Options {
    std::function<UtcTime()> utc;
    /// How long the next commit takes.
    std::function<Duration()> commit_lasts;
    /// It has no room: nothing is written.
    std::function<bool()> disk_is_full;
    /// This is about to be answered.
    std::function<void(const model::api::AppendRequest&, std::uint64_t through)> on_acknowledged;
  };

  JournalOnLink(Link& link, journal::Store& store, Options options)
      : link_(link), store_(store), options_(std::move(options)) {
    begin_intake();
    link_.serve("journal.append", [this](const Call& call) { take(call); });
  }

  static Uuid gaps_origin() { return Uuid::derive("the journal's gaps"); }

 private:
  struct Waiting {
    Call call;
    model::api::AppendRequest request;
    std::uint64_t through;
  };

  void begin_intake() {
    const auto mark = store_.mark_of(gaps_origin());
    intake_ =
        std::make_unique<actors::Intake>(store_, gaps_origin(), mark ? mark->incarnation + 1 : 1);
  }
  void take(const Call& call) {
    auto request = model::unpack<model::api::AppendRequest>(call.payload());
    if (!request) return call.fail({Code::kInvalidArgument, request.error().message});
    auto taken = intake_->take(request.value(), options_.utc());
    if (!taken) return call.fail(taken.error());
    for (auto& each : taken.value().sections) group_.push_back(std::move(each));
    waiting_.push_back({call, std::move(request).value(), taken.value().through});
    if (waiting_.size() == 1) {
      link_.after(options_.commit_lasts(), [this] { commit(); });
    }
  }
  Result<journal::Appended> append(const std::vector<journal::InspectedSection>& group) {
    if (options_.disk_is_full()) return Error{Code::kUnavailable, "disk full"};
    return store_.append(group);
  }
  void commit() {
    const auto group = std::exchange(group_, {});
    const auto waiting = std::exchange(waiting_, {});
    if (!group.empty()) {
      const auto appended = append(group);
      if (!appended) {
        for (const auto& each : waiting) each.call.fail(appended.error());
        return begin_intake();  // It is ahead of the store.
      }
    }
    for (const auto& each : waiting) {
      options_.on_acknowledged(each.request, each.through);
      each.call.done(
          model::pack(model::api::AppendReply{each.through, journal::raw(store_.last())}));
    }
  }

  Link& link_;
  journal::Store& store_;
  const Options options_;
  std::unique_ptr<actors::Intake> intake_;
  std::vector<journal::InspectedSection> group_;
  std::vector<Waiting> waiting_;
};

}  // namespace tidemark::bus
