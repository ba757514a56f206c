// test/gateway/fake_backend.h
//
// A backend that answers as a test says, remembers what it was asked, and may keep replies back.

#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gateway/backend.h"

namespace tidemark::gateway::test {

namespace api = model::api;

/// One kind of question.
template <class Query, class T>
class Ask {
 public:
  void answers(Result<T> result) {
    answers_with([result](const Query&) { return result; });
  }
  void answers_with(std::function<Result<T>(const Query&)> how) {
    const std::lock_guard lock(mutex_);
    how_ = std::move(how);
  }
  /// From now on replies are kept; take_reply() waits for one.
  void keeps_silent() {
    const std::lock_guard lock(mutex_);
    how_ = nullptr;
    silent_ = true;
  }
  Reply<T> take_reply() {
    std::unique_lock lock(mutex_);
    asked_.wait(lock, [&] { return !kept_.empty(); });
    auto reply = std::move(kept_.back());
    kept_.pop_back();
    return reply;
  }
  Query last() const {
    const std::lock_guard lock(mutex_);
    if (queries_.empty()) throw std::runtime_error("the backend was not asked");
    return queries_.back();
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return queries_.size();
  }

  void ask(Query query, Reply<T> reply) {
    std::unique_lock lock(mutex_);
    queries_.push_back(query);
    if (silent_ && !how_) {
      kept_.push_back(std::move(reply));
      asked_.notify_all();
      return;
    }
    const auto how = how_;
    lock.unlock();
    reply(how ? how(query) : Result<T>(Error{Code::kUnavailable, "the keeper is away"}));
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable asked_;
  // Guarded by mutex_.
  std::function<Result<T>(const Query&)> how_;
  bool silent_ = false;
  std::vector<Query> queries_;
  std::vector<Reply<T>> kept_;
};

class FakeBackend final : public Backend {
 public:
  Ask<api::PvQuery, api::PvPage> pvs_asked;
  Ask<api::LiveQuery, api::LiveReply> live_asked;
  Ask<api::SnapshotRequest, model::Job> create_asked;
  Ask<api::SnapshotQuery, api::SnapshotList> list_asked;
  Ask<api::SnapshotGet, model::Snapshot> get_asked;
  Ask<Unit, api::Tags> tags_asked;
  Ask<api::JobQuery, model::Job> job_asked;
  Ask<Unit, std::vector<api::NodeStatus>> nodes_asked;

  void list_pvs(api::PvQuery q, Reply<api::PvPage> r) override { pvs_asked.ask(q, r); }
  void live(api::LiveQuery q, Reply<api::LiveReply> r) override { live_asked.ask(q, r); }
  void create_snapshot(api::SnapshotRequest q, Reply<model::Job> r) override {
    create_asked.ask(q, r);
  }
  void list_snapshots(api::SnapshotQuery q, Reply<api::SnapshotList> r) override {
    list_asked.ask(q, r);
  }
  void get_snapshot(api::SnapshotGet q, Reply<model::Snapshot> r) override { get_asked.ask(q, r); }
  void tags(Reply<api::Tags> r) override { tags_asked.ask({}, r); }
  void job(api::JobQuery q, Reply<model::Job> r) override { job_asked.ask(q, r); }
  void node_statuses(Reply<std::vector<api::NodeStatus>> r) override { nodes_asked.ask({}, r); }
};

}  // namespace tidemark::gateway::test
