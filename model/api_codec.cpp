// model/api_codec.cpp
//
// The requests and answers of model/api/, and what they are made of, in msgpack.

#include "model/api/backup.h"
#include "model/api/journal.h"
#include "model/api/keeper.h"
#include "model/api/marks.h"
#include "model/api/monitor.h"
#include "model/api/node.h"
#include "model/api/past.h"
#include "model/api/policy.h"
#include "model/api/registry.h"
#include "model/api/replay.h"
#include "model/packing_impl.h"

namespace tidemark::model {

using namespace api;

TIDEMARK_PACKABLE(PvEntry);
TIDEMARK_PACKABLE(TagGroup);
TIDEMARK_PACKABLE(SnapshotHeader);
TIDEMARK_PACKABLE(Snapshot);
TIDEMARK_PACKABLE(Job);
TIDEMARK_PACKABLE(RestorePlan);

TIDEMARK_PACKABLE(Empty);
TIDEMARK_PACKABLE(NodeStatus);
TIDEMARK_PACKABLE(Exited);

TIDEMARK_PACKABLE(AppendRequest);
TIDEMARK_PACKABLE(AppendReply);
TIDEMARK_PACKABLE(ReadRequest);
TIDEMARK_PACKABLE(ReadReply);
TIDEMARK_PACKABLE(BackupRequest);
TIDEMARK_PACKABLE(BackupProgress);
TIDEMARK_PACKABLE(BackupReply);

TIDEMARK_PACKABLE(Moment);
TIDEMARK_PACKABLE(MomentReply);
TIDEMARK_PACKABLE(StateQuery);
TIDEMARK_PACKABLE(PastValues);
TIDEMARK_PACKABLE(PastEnd);
TIDEMARK_PACKABLE(ChangesQuery);
TIDEMARK_PACKABLE(Changes);
TIDEMARK_PACKABLE(ChangesEnd);
TIDEMARK_PACKABLE(HistoryQuery);
TIDEMARK_PACKABLE(HistorySamples);
TIDEMARK_PACKABLE(HistoryEnd);
TIDEMARK_PACKABLE(BinsQuery);
TIDEMARK_PACKABLE(HistoryBins);
TIDEMARK_PACKABLE(BlameQuery);
TIDEMARK_PACKABLE(Blame);

TIDEMARK_PACKABLE(MarksQuery);
TIDEMARK_PACKABLE(MarkEntry);
TIDEMARK_PACKABLE(MarkList);

TIDEMARK_PACKABLE(ReplayRequest);
TIDEMARK_PACKABLE(ReplayStatus);
TIDEMARK_PACKABLE(ReplayStarted);
TIDEMARK_PACKABLE(ReplayControl);
TIDEMARK_PACKABLE(ReplayAck);
TIDEMARK_PACKABLE(ReplayList);
TIDEMARK_PACKABLE(ReplayRead);
TIDEMARK_PACKABLE(ReplayNews);

TIDEMARK_PACKABLE(StatePart);
TIDEMARK_PACKABLE(StateEnd);
TIDEMARK_PACKABLE(ReadChannels);
TIDEMARK_PACKABLE(ChannelValues);
TIDEMARK_PACKABLE(PutChannels);
TIDEMARK_PACKABLE(PutResults);

TIDEMARK_PACKABLE(Policy);
TIDEMARK_PACKABLE(PolicyList);
TIDEMARK_PACKABLE(PolicySet);
TIDEMARK_PACKABLE(PolicyRemove);
TIDEMARK_PACKABLE(PolicyPreviewQuery);
TIDEMARK_PACKABLE(PolicyPreview);
TIDEMARK_PACKABLE(PolicyQuestion);
TIDEMARK_PACKABLE(PolicyExplanation);
TIDEMARK_PACKABLE(ForecastQuery);
TIDEMARK_PACKABLE(Forecast);
TIDEMARK_PACKABLE(RatesQuery);
TIDEMARK_PACKABLE(Rates);

TIDEMARK_PACKABLE(Channels);
TIDEMARK_PACKABLE(CatalogChange);
TIDEMARK_PACKABLE(ImportRequest);
TIDEMARK_PACKABLE(ImportReport);
TIDEMARK_PACKABLE(PvQuery);
TIDEMARK_PACKABLE(PvPage);
TIDEMARK_PACKABLE(LiveQuery);
TIDEMARK_PACKABLE(LiveReply);
TIDEMARK_PACKABLE(PutRequest);
TIDEMARK_PACKABLE(Tags);
TIDEMARK_PACKABLE(SnapshotRequest);
TIDEMARK_PACKABLE(SnapshotQuery);
TIDEMARK_PACKABLE(SnapshotList);
TIDEMARK_PACKABLE(SnapshotGet);
TIDEMARK_PACKABLE(SnapshotDelete);
TIDEMARK_PACKABLE(CompareRequest);
TIDEMARK_PACKABLE(CompareReply);
TIDEMARK_PACKABLE(RestoreRequest);
TIDEMARK_PACKABLE(JobQuery);
TIDEMARK_PACKABLE(JobsQuery);
TIDEMARK_PACKABLE(JobList);

}  // namespace tidemark::model
