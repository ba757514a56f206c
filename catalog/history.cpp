// The Catalog's snapshots and jobs. Snapshot bodies stay in the store until somebody asks.

#include <algorithm>
#include <set>

#include "base/ascii.h"
#include "catalog/catalog.h"
#include "catalog/keys.h"
#include "model/packing.h"

namespace tidemark::catalog {
namespace {

constexpr std::size_t kUuidBytes = 16;

std::optional<Uuid> read_uuid(BytesView bytes) {
  if (bytes.size() != kUuidBytes) return std::nullopt;
  Uuid id;
  std::copy(bytes.begin(), bytes.end(), id.bytes.begin());
  return id;
}

bool newer(const model::SnapshotHeader& a, const model::SnapshotHeader& b) {
  if (a.created_at != b.created_at) return a.created_at > b.created_at;
  return a.id > b.id;
}

bool newer_job(const model::Job* a, const model::Job* b) {
  if (a->created_at != b->created_at) return a->created_at > b->created_at;
  return a->id > b->id;
}

}  // namespace

Result<Unit> Catalog::read_history() {
  std::optional<Error> fault;
  const auto corrupt = [&](std::string_view key, const std::string& what) {
    const auto id = read_uuid(key.substr(2));
    fault = Error{Code::kCorruption, "catalog: key " + std::string(key.substr(0, 2)) +
                                         (id ? id->text() : "?") + ": " + what};
    return false;
  };
  const auto read_header = [&](std::string_view key, BytesView value) {
    auto header = model::unpack<model::SnapshotHeader>(value);
    if (!header) return corrupt(key, header.error().message);
    const auto id = header.value().id;
    if (key != uuid_key('s', id)) return corrupt(key, "holds another snapshot");
    snapshots_.emplace(id, std::move(header).value());
    return true;
  };
  const auto read_tags = [&](std::string_view key, BytesView value) {
    const auto id = read_uuid(key.substr(2));
    if (!id || value.size() % kUuidBytes != 0) return corrupt(key, "is not a list of tags");
    auto& tags = snapshot_tags_[*id];
    for (; !value.empty(); value.remove_prefix(kUuidBytes)) {
      tags.push_back(*read_uuid(value.substr(0, kUuidBytes)));
    }
    return true;
  };
  const auto read_job = [&](std::string_view key, BytesView value) {
    auto job = model::unpack<model::Job>(value);
    if (!job) return corrupt(key, job.error().message);
    const auto id = job.value().id;
    if (key != uuid_key('j', id)) return corrupt(key, "holds another job");
    jobs_.emplace(id, std::move(job).value());
    return true;
  };
  const auto read_idempotency = [&](std::string_view key, BytesView value) {
    const auto id = read_uuid(key.substr(2));
    const auto job = read_uuid(value);
    if (!id || !job) return corrupt(key, "is not a job's id");
    idempotency_.emplace(*id, *job);
    return true;
  };
  auto scanned = store_->scan("s/", read_header);
  if (scanned && !fault) scanned = store_->scan("t/", read_tags);
  if (scanned && !fault) scanned = store_->scan("j/", read_job);
  if (scanned && !fault) scanned = store_->scan("i/", read_idempotency);
  if (scanned && fault) return *fault;
  return scanned;
}

Result<Unit> Catalog::add_snapshot(const model::Snapshot& snapshot) {
  const auto& id = snapshot.header.id;
  if (snapshots_.count(id) > 0) {
    return Error{Code::kConflict, "there is a snapshot " + id.text() + " already"};
  }
  std::set<Uuid> tags;
  for (const auto& pv : snapshot.pvs) tags.insert(pv.tags.begin(), pv.tags.end());
  Bytes tag_bytes;
  for (const auto& tag : tags) tag_bytes += raw_bytes(tag);
  const auto committed = store_->commit({{uuid_key('s', id), model::pack(snapshot.header)},
                                         {uuid_key('t', id), std::move(tag_bytes)},
                                         {uuid_key('S', id), model::pack(snapshot)}});
  if (!committed) return committed;
  snapshots_.emplace(id, snapshot.header);
  snapshot_tags_[id].assign(tags.begin(), tags.end());
  return Unit{};
}

Result<model::SnapshotHeader> Catalog::find_snapshot(const std::string& which) const {
  if (const auto id = Uuid::parse(which)) {
    const auto found = snapshots_.find(*id);
    if (found != snapshots_.end()) return found->second;
  }
  const auto part = lowered(which);
  const model::SnapshotHeader* titled = nullptr;
  std::vector<const model::SnapshotHeader*> begun;
  for (const auto& [id, header] : snapshots_) {
    if (header.title == which && (!titled || newer(header, *titled))) titled = &header;
    if (part.size() >= kIdPartBytesMin && id.text().compare(0, part.size(), part) == 0) {
      begun.push_back(&header);
    }
  }
  if (titled) return *titled;
  if (begun.size() == 1) return *begun.front();
  if (begun.empty()) return Error{Code::kNotFound, "no snapshot '" + which + "'"};
  return Error{Code::kConflict, "'" + which + "' begins the ids of " +
                                    std::to_string(begun.size()) + " snapshots, such as " +
                                    begun[0]->id.text() + " and " + begun[1]->id.text()};
}

Result<model::Snapshot> Catalog::load_snapshot(const Uuid& id) const {
  if (snapshots_.count(id) == 0) return Error{Code::kNotFound, "no snapshot " + id.text()};
  const auto body = store_->get(uuid_key('S', id));
  if (!body) return body.error();
  if (!body.value()) {
    return Error{Code::kCorruption, "catalog: the body of snapshot " + id.text() + " is missing"};
  }
  auto snapshot = model::unpack<model::Snapshot>(*body.value());
  if (!snapshot) {
    return Error{Code::kCorruption,
                 "catalog: key S/" + id.text() + ": " + snapshot.error().message};
  }
  return snapshot;
}

Result<Unit> Catalog::delete_snapshot(const Uuid& id) {
  if (snapshots_.count(id) == 0) return Error{Code::kNotFound, "no snapshot " + id.text()};
  const auto committed = store_->commit({{uuid_key('s', id), std::nullopt},
                                         {uuid_key('t', id), std::nullopt},
                                         {uuid_key('S', id), std::nullopt}});
  if (!committed) return committed;
  snapshots_.erase(id);
  snapshot_tags_.erase(id);
  return Unit{};
}

Result<std::vector<model::SnapshotHeader>> Catalog::list_snapshots(
    const model::api::SnapshotQuery& query) const {
  const auto title = lowered(query.title);
  const auto tagged = [&](const Uuid& id) {
    const auto found = snapshot_tags_.find(id);
    return found != snapshot_tags_.end() &&
           std::any_of(query.tags.begin(), query.tags.end(), [&](const Uuid& tag) {
             return std::binary_search(found->second.begin(), found->second.end(), tag);
           });
  };
  std::vector<model::SnapshotHeader> headers;
  for (const auto& [id, header] : snapshots_) {
    if (!contains(header.title, title)) continue;
    if (query.tags.empty() || tagged(id)) headers.push_back(header);
  }
  std::sort(headers.begin(), headers.end(), newer);
  if (query.limit > 0 && headers.size() > query.limit) headers.resize(query.limit);
  return headers;
}

Result<Unit> Catalog::put_job(const model::Job& job, const Uuid& idempotency) {
  std::vector<Write> writes = {{uuid_key('j', job.id), model::pack(job)}};
  if (!idempotency.is_nil()) {
    writes.push_back({uuid_key('i', idempotency), Bytes(raw_bytes(job.id))});
  }
  const auto committed = store_->commit(writes);
  if (!committed) return committed;
  jobs_.insert_or_assign(job.id, job);
  if (!idempotency.is_nil()) idempotency_[idempotency] = job.id;
  return Unit{};
}

const model::Job* Catalog::find_job(const Uuid& id) const {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : &found->second;
}

const model::Job* Catalog::job_of(const Uuid& idempotency) const {
  const auto found = idempotency_.find(idempotency);
  return found == idempotency_.end() ? nullptr : find_job(found->second);
}

std::vector<model::Job> Catalog::list_jobs(std::uint32_t limit) const {
  std::vector<const model::Job*> sorted;
  for (const auto& [id, job] : jobs_) sorted.push_back(&job);
  std::sort(sorted.begin(), sorted.end(), newer_job);
  if (limit > 0 && sorted.size() > limit) sorted.resize(limit);
  std::vector<model::Job> jobs;
  for (const auto* job : sorted) jobs.push_back(*job);
  return jobs;
}

}  // namespace tidemark::catalog
