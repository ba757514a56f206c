// test/fuzz/fuzz_payloads.cpp
//
// Every payload of the bus that has no fuzzer of its own: any bytes must be refused as corrupt, or
// come back the same. A surface besides as who reads one does.

#include <cstdint>

#include "base/check.h"
#include "model/api/backup.h"
#include "model/api/journal.h"
#include "model/api/keeper.h"
#include "model/api/marks.h"
#include "model/api/monitor.h"
#include "model/api/node.h"
#include "model/api/past.h"
#include "model/api/policy.h"
#include "model/api/registry.h"
#include "model/api/subsystem.h"
#include "model/kv/key_spec.h"
#include "model/packing.h"

namespace {

using namespace tidemark::model;
using namespace tidemark::model::api;
using tidemark::BytesView;

template <class T>
void check_payload(BytesView bytes) {
  const auto read = unpack<T>(bytes);
  if (!read) {
    TIDEMARK_CHECK(read.error().code == tidemark::Code::kCorruption);
    return;
  }
  const auto packed = pack(read.value());
  const auto again = unpack<T>(packed);
  TIDEMARK_CHECK(again.ok());
  TIDEMARK_CHECK(pack(again.value()) == packed);
}

template <class... T>
void check_payloads(BytesView bytes) {
  (check_payload<T>(bytes), ...);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(reinterpret_cast<const char*>(data), size);
  check_payloads<kv::Value, kv::Type, kv::KeySpec, EventSpec, Surface, KeyUpdate, KeyUpdates,
                 KeyRead, KeyWrite, EventCall, api::EventFeedback, EventResult, StatusItems,
                 StatusAck>(bytes);
  check_payloads<
      PvEntry, TagGroup, SnapshotHeader, Snapshot, Job, RestorePlan, Empty, NodeStatus, Exited,
      AppendRequest, AppendReply, ReadRequest, ReadReply, BackupRequest, BackupProgress,
      BackupReply, Moment, MomentReply, StateQuery, PastValues, PastEnd, ChangesQuery, Changes,
      ChangesEnd, HistoryQuery, HistorySamples, HistoryEnd, BinsQuery, HistoryBins, BlameQuery,
      Blame, MarksQuery, MarkEntry, MarkList, StatePart, StateEnd, ReadChannels, ChannelValues,
      PutChannels, PutResults, Policy, PolicyList, PolicySet, PolicyRemove, PolicyPreviewQuery,
      PolicyPreview, PolicyQuestion, PolicyExplanation, ForecastQuery, Forecast, RatesQuery, Rates,
      Channels, CatalogChange, ImportRequest, ImportReport, PvQuery, PvPage, LiveQuery, LiveReply,
      PutRequest, Tags, SnapshotRequest, SnapshotQuery, SnapshotList, SnapshotGet, SnapshotDelete,
      CompareRequest, CompareReply, RestoreRequest, JobQuery, JobsQuery, JobList>(bytes);
  if (const auto surface = read_surface(bytes)) {
    TIDEMARK_CHECK(read_surface(pack(surface.value())).ok());
  }
  return 0;
}
