// actors/past.h
//
// What every answer about the past needs (model/api/past.h): the archive, what its channels are
// called, and lines for moments. And the answers, each to one call.

#pragma once

#include <map>

#include "bus/link.h"
#include "journal/archive.h"
#include "model/api/past.h"

namespace tidemark::actors {

struct Past {
  std::shared_ptr<const journal::Projections> projections;
  std::unique_ptr<journal::Archive> archive;
  std::map<std::string, model::ChannelId, std::less<>> by_address;

  void learn_channels();
};

/// A PV as it was; `row` null: nothing was known of it.
model::api::LiveValue live_value(const std::string& address, model::ChannelId channel,
                                 const journal::ChannelState* row);

/// When the block of that line was recorded; the epoch for line 0.
Result<UtcTime> recorded_at(const journal::Store& store, journal::Line line);

/// Errors: kInvalidArgument a line that is not there yet; kNotFound no such mark.
Result<model::api::MomentReply> resolve(const journal::Projections& projections,
                                        const model::api::Moment& moment);

/// Errors: kInvalidArgument  negative, or more than `most`.
Result<Unit> check_lateness(Duration lateness, Duration most);

/// The channels that are asked for, by address; `unknown` gets exact addresses that nobody defined.
using Wanted = std::vector<std::pair<std::string, model::ChannelId>>;
Wanted wanted(const Past& past, const std::vector<std::string>& addresses,
              std::vector<std::string>& unknown);
/// Their numbers, sorted.
std::vector<model::ChannelId> numbers_of(const Wanted& channels);
/// Errors: kNotFound.
Result<model::ChannelId> find(const Past& past, const std::string& address);

/// Of PV updates, the lines from `first` to `last` that have expired.
std::vector<model::Expired> expired_updates(const journal::Store& store, journal::Line first,
                                            journal::Line last);

// Each answers the call, in parts where that is long, or says why not.
Result<Unit> answer_state(const Past& self, const bus::Call& call,
                          const model::api::StateQuery& query);
Result<Unit> answer_changes(const Past& self, const bus::Call& call,
                            const model::api::ChangesQuery& query);
Result<Unit> answer_history(const Past& self, const bus::Call& call,
                            const model::api::HistoryQuery& query);
Result<Unit> answer_bins(const Past& self, const bus::Call& call,
                         const model::api::BinsQuery& query);
Result<Unit> answer_blame(const Past& self, const bus::Call& call,
                          const model::api::BlameQuery& query);

}  // namespace tidemark::actors
