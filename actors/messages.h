// actors/messages.h
//
// The verbs that actors exchange. The nouns are model/ values and bus/ calls.
// Messages stay inside one process (bus/ has its own wire format), so CAF needs neither
// inspect() nor type ids for the nouns. Large nouns travel as shared_ptr<const T>.

#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/failure.h"
#include "bus/link.h"
#include "model/api/journal.h"
#include "model/api/keeper.h"
#include "model/api/monitor.h"
#include "model/api/node.h"
#include "model/api/registry.h"

namespace tidemark::actors {

template <class T>
using Shared = std::shared_ptr<const T>;
template <class T>
Shared<T> share(T value) {
  return std::make_shared<const T>(std::move(value));
}

using Records = std::vector<model::Record>;

/// A snapshot that is being made: whoever holds the message owns it and may change it, so that
/// 40 000 values are not copied at every step.
using Draft = std::shared_ptr<model::Snapshot>;

/// A PV batch that is encoded already.
struct UpdateBatch {
  Bytes payload;
  std::uint32_t count = 0;
  UtcTime sent_at{};
};

/// How a process ended.
struct ProcessEnd {
  std::string what;                     // "stopped", "exited with 1", "killed by signal 9"
  int signal = 0;                       // 0: none
  std::vector<std::string> last_words;  // the last lines of its log
};

}  // namespace tidemark::actors

CAF_BEGIN_TYPE_ID_BLOCK(tidemark, first_custom_type_id)
  CAF_ADD_ATOM(tidemark, tidemark::actors, ack_atom, "ack")
  CAF_ADD_ATOM(tidemark, tidemark::actors, add_atom, "add")
  CAF_ADD_ATOM(tidemark, tidemark::actors, again_atom, "again")
  CAF_ADD_ATOM(tidemark, tidemark::actors, answered_atom, "answered")
  CAF_ADD_ATOM(tidemark, tidemark::actors, append_atom, "append")
  CAF_ADD_ATOM(tidemark, tidemark::actors, batch_atom, "batch")
  CAF_ADD_ATOM(tidemark, tidemark::actors, bins_atom, "bins")
  CAF_ADD_ATOM(tidemark, tidemark::actors, blame_atom, "blame")
  CAF_ADD_ATOM(tidemark, tidemark::actors, cancel_atom, "cancel")
  CAF_ADD_ATOM(tidemark, tidemark::actors, capture_atom, "capture")
  CAF_ADD_ATOM(tidemark, tidemark::actors, changes_atom, "changes")
  CAF_ADD_ATOM(tidemark, tidemark::actors, channels_atom, "channels")
  CAF_ADD_ATOM(tidemark, tidemark::actors, commit_atom, "commit")
  CAF_ADD_ATOM(tidemark, tidemark::actors, compare_atom, "compare")
  CAF_ADD_ATOM(tidemark, tidemark::actors, control_atom, "control")
  CAF_ADD_ATOM(tidemark, tidemark::actors, directory_atom, "directory")
  CAF_ADD_ATOM(tidemark, tidemark::actors, due_atom, "due")
  CAF_ADD_ATOM(tidemark, tidemark::actors, ended_atom, "ended")
  CAF_ADD_ATOM(tidemark, tidemark::actors, exited_atom, "exited")
  CAF_ADD_ATOM(tidemark, tidemark::actors, explain_atom, "explain")
  CAF_ADD_ATOM(tidemark, tidemark::actors, find_atom, "find")
  CAF_ADD_ATOM(tidemark, tidemark::actors, forecast_atom, "forecast")
  CAF_ADD_ATOM(tidemark, tidemark::actors, goodbye_atom, "goodbye")
  CAF_ADD_ATOM(tidemark, tidemark::actors, history_atom, "history")
  CAF_ADD_ATOM(tidemark, tidemark::actors, import_atom, "import")
  CAF_ADD_ATOM(tidemark, tidemark::actors, job_atom, "job")
  CAF_ADD_ATOM(tidemark, tidemark::actors, jobs_atom, "jobs")
  CAF_ADD_ATOM(tidemark, tidemark::actors, journaled_atom, "journaled")
  CAF_ADD_ATOM(tidemark, tidemark::actors, list_atom, "list")
  CAF_ADD_ATOM(tidemark, tidemark::actors, live_atom, "live")
  CAF_ADD_ATOM(tidemark, tidemark::actors, load_atom, "load")
  CAF_ADD_ATOM(tidemark, tidemark::actors, marks_atom, "marks")
  CAF_ADD_ATOM(tidemark, tidemark::actors, moment_atom, "moment")
  CAF_ADD_ATOM(tidemark, tidemark::actors, plan_atom, "plan")
  CAF_ADD_ATOM(tidemark, tidemark::actors, policies_atom, "policies")
  CAF_ADD_ATOM(tidemark, tidemark::actors, put_atom, "put")
  CAF_ADD_ATOM(tidemark, tidemark::actors, rates_atom, "rates")
  CAF_ADD_ATOM(tidemark, tidemark::actors, read_atom, "read")
  CAF_ADD_ATOM(tidemark, tidemark::actors, remove_atom, "remove")
  CAF_ADD_ATOM(tidemark, tidemark::actors, renew_atom, "renew")
  CAF_ADD_ATOM(tidemark, tidemark::actors, restore_atom, "restore")
  CAF_ADD_ATOM(tidemark, tidemark::actors, results_atom, "results")
  CAF_ADD_ATOM(tidemark, tidemark::actors, run_atom, "run")
  CAF_ADD_ATOM(tidemark, tidemark::actors, scope_atom, "scope")
  CAF_ADD_ATOM(tidemark, tidemark::actors, select_atom, "select")
  CAF_ADD_ATOM(tidemark, tidemark::actors, snapshot_atom, "snapshot")
  CAF_ADD_ATOM(tidemark, tidemark::actors, start_atom, "start")
  CAF_ADD_ATOM(tidemark, tidemark::actors, state_atom, "state")
  CAF_ADD_ATOM(tidemark, tidemark::actors, stop_atom, "stop")
  CAF_ADD_ATOM(tidemark, tidemark::actors, tags_atom, "tags")
  CAF_ADD_ATOM(tidemark, tidemark::actors, tick_atom, "tick")
  CAF_ADD_ATOM(tidemark, tidemark::actors, wake_atom, "wake")
CAF_END_TYPE_ID_BLOCK(tidemark)

#define TIDEMARK_LOCAL(...) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(__VA_ARGS__)

TIDEMARK_LOCAL(tidemark::Bytes)
TIDEMARK_LOCAL(tidemark::Unit)
TIDEMARK_LOCAL(tidemark::Uuid)
TIDEMARK_LOCAL(tidemark::actors::Draft)
TIDEMARK_LOCAL(tidemark::actors::ProcessEnd)
TIDEMARK_LOCAL(tidemark::actors::Records)
TIDEMARK_LOCAL(tidemark::actors::Shared<std::vector<bool>>)
TIDEMARK_LOCAL(tidemark::actors::Shared<tidemark::model::Job>)
TIDEMARK_LOCAL(tidemark::actors::Shared<tidemark::model::RestorePlan>)
TIDEMARK_LOCAL(tidemark::actors::Shared<tidemark::model::Snapshot>)
TIDEMARK_LOCAL(tidemark::actors::Shared<tidemark::model::api::Channels>)
TIDEMARK_LOCAL(tidemark::actors::Shared<tidemark::model::api::CompareReply>)
TIDEMARK_LOCAL(tidemark::actors::Shared<tidemark::model::api::LiveReply>)
TIDEMARK_LOCAL(tidemark::actors::Shared<tidemark::model::api::PvPage>)
TIDEMARK_LOCAL(tidemark::actors::UpdateBatch)
TIDEMARK_LOCAL(tidemark::bus::Answer)
TIDEMARK_LOCAL(tidemark::bus::Call)
TIDEMARK_LOCAL(tidemark::bus::Directory)
TIDEMARK_LOCAL(tidemark::bus::Lease)
TIDEMARK_LOCAL(tidemark::bus::Renewal)
TIDEMARK_LOCAL(tidemark::bus::NodeInfo)
TIDEMARK_LOCAL(tidemark::model::Job)
TIDEMARK_LOCAL(tidemark::model::RestoreOptions)
TIDEMARK_LOCAL(tidemark::model::RestorePlan)
TIDEMARK_LOCAL(tidemark::model::Scope)
TIDEMARK_LOCAL(tidemark::model::SnapshotHeader)
TIDEMARK_LOCAL(tidemark::model::api::CompareReply)
TIDEMARK_LOCAL(tidemark::model::api::CompareRequest)
TIDEMARK_LOCAL(tidemark::model::api::Empty)
TIDEMARK_LOCAL(tidemark::model::api::Exited)
TIDEMARK_LOCAL(tidemark::model::api::ImportReport)
TIDEMARK_LOCAL(tidemark::model::api::ImportRequest)
TIDEMARK_LOCAL(tidemark::model::api::JobList)
TIDEMARK_LOCAL(tidemark::model::api::JobQuery)
TIDEMARK_LOCAL(tidemark::model::api::JobsQuery)
TIDEMARK_LOCAL(tidemark::model::api::LiveQuery)
TIDEMARK_LOCAL(tidemark::model::Policy)
TIDEMARK_LOCAL(tidemark::model::api::PolicyExplanation)
TIDEMARK_LOCAL(tidemark::model::api::PolicyList)
TIDEMARK_LOCAL(tidemark::model::api::PolicyPreview)
TIDEMARK_LOCAL(tidemark::model::api::PolicyPreviewQuery)
TIDEMARK_LOCAL(tidemark::model::api::PolicyQuestion)
TIDEMARK_LOCAL(tidemark::model::api::PolicyRemove)
TIDEMARK_LOCAL(tidemark::model::api::PolicySet)
TIDEMARK_LOCAL(tidemark::model::api::PutRequest)
TIDEMARK_LOCAL(tidemark::model::api::PvQuery)
TIDEMARK_LOCAL(tidemark::model::api::RestoreRequest)
TIDEMARK_LOCAL(tidemark::model::api::SnapshotDelete)
TIDEMARK_LOCAL(tidemark::model::api::SnapshotGet)
TIDEMARK_LOCAL(tidemark::model::api::SnapshotList)
TIDEMARK_LOCAL(tidemark::model::api::SnapshotQuery)
TIDEMARK_LOCAL(tidemark::model::api::SnapshotRequest)
TIDEMARK_LOCAL(tidemark::model::api::Tags)
