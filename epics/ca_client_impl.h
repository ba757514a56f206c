// epics/ca_client_impl.h
//
// The inside of the Client on libca; only for its own .cpp files, and without cadef.h all the same.
//
// One worker thread makes every call to libca that may take time, and every decision:
//
//   add, remove, read, put ──► commands ─┐
//   libca callbacks ─────────► events  ──┼─► worker ──► libca, outcomes
//   answers to name searches ────────────┘
//   libca callbacks ── values, connections ──► UpdateQueue ──► drain()
//
// A channel lives in one of these places:
//
//   nowhere      no libca channel; NameSearch asks for the name
//   main         its name has answered: in a context where all names answer
//   quarantine   its name is silent: in a context of its own, where libca may search as slowly as
//                it likes (it alone can ask name servers over TCP). It stays when libca connects
//                it here, and moves to main when NameSearch gets an answer.
//
// There are several main contexts because a soft IOC spends time by the square of the
// subscriptions per circuit: 50 000 first values take 1.4 s over one circuit, 0.7 s over four. But
// one that serves several circuits at the same moment spends its time on who holds its locks
// (50 000 gets: 0.02 s over one circuit, 0.7 s over four). So an IOC is asked over one circuit at a
// time: a batch, and the next one when that is answered. An IOC of few channels has one circuit.
// And an IOC that hangs never gets so much that libca would make the worker wait for it.
//
//   ca_client.cpp      the contract's methods, on any thread; start and end
//   ca_callbacks.cpp   what runs on libca's threads
//   ca_worker.cpp      the worker's loop; reads and puts
//   ca_channels.cpp    the worker's channels: searched, made, asked, cleared

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "epics/ca_client.h"
#include "epics/client.h"
#include "epics/dbr.h"
#include "epics/name_search.h"
#include "epics/put_window.h"
#include "epics/search_socket.h"
#include "epics/update_queue.h"

// libca's own types.
struct ca_client_context;
struct oldChannelNotify;
struct connection_handler_args;
struct access_rights_handler_args;
struct event_handler_args;

namespace tidemark::epics {

inline constexpr std::size_t kQuarantine = 0;  // a context; the others are main
/// After this a name that answered and does not connect goes to the quarantine.
inline constexpr auto kConnectPatience = std::chrono::seconds(5);

class CaClient;
struct Server;

/// A channel of ours, with or without one of libca's.
struct Channel : std::enable_shared_from_this<Channel> {
  Channel(CaClient& client, ChannelSpec spec, std::uint64_t number)
      : owner(client),
        id(spec.id),
        address(std::move(spec.address)),
        lane{number},
        long_string(address.ends_with('$')) {}

  // Constant after construction.
  CaClient& owner;
  const model::ChannelId id;
  const std::string address;
  const PutLane lane;
  const bool long_string;

  UpdateQueue::Tap tap;

  // Only on the worker thread.
  enum class Place : std::uint8_t { kNowhere, kInMain, kInQuarantine };
  Place place = Place::kNowhere;
  bool removed = false;
  bool connected = false;
  bool ever_connected = false;
  std::uint32_t open_asks = 0;  // of the server's `open`
  bool subscribed = false;      // since `ca` was made; libca renews it by itself
  SearchId search{};
  oldChannelNotify* ca = nullptr;  // a chid
  std::size_t context = 0;
  Server* asked_at = nullptr;  // null in the quarantine
  SteadyTime created_at{};
  std::shared_ptr<const model::PvMeta> meta;  // Null unless connected.

  // Set by the worker while `ca` is null; read in callbacks.
  std::string server;             // that answered for the name; empty when none did
  std::uint64_t incarnation = 0;  // of `ca`: tells an event of an earlier one

  // Only in callbacks, which never overlap for one channel, while `ca` is set.
  dbr::Native native;
  std::shared_ptr<const model::PvMeta> announced;  // Null until kConnected is pushed.
  std::vector<model::PvUpdate> held;               // Values that came before it.
};
using ChannelPtr = std::shared_ptr<Channel>;

/// A request that an IOC answers: meta (and a subscription with it), or a value.
struct Ask {
  ChannelPtr channel;
  std::uint64_t incarnation = 0;
  std::uint64_t read = 0;  // the token of a read, or 0
};

/// An IOC. Only on the worker thread.
struct Server {
  std::size_t context = kQuarantine;  // where its next channels go; a main one, once it has any
  std::size_t channels = 0;           // put into that context
  std::map<std::size_t, std::deque<Ask>> waiting;  // by context
  std::size_t last_asked = 0;                      // context
  std::size_t open = 0;                            // of the last batch, not answered yet
  bool asking = false;                             // in CaClient::asking_
};

/// From callbacks to the worker.
struct Event {
  enum class Kind : std::uint8_t { kUp, kDown, kMeta };
  Kind kind;
  ChannelPtr channel;
  std::uint64_t incarnation;
  std::shared_ptr<const model::PvMeta> meta;
};
struct ReadDone {
  std::uint64_t token;
  int status;
  model::PvUpdate update;
  ChannelPtr channel = nullptr;  // that answered; null when it was not asked
};
struct PutDone {
  PutId id;
  int status;
};

struct AddCommand {
  std::vector<ChannelPtr> channels;
};
struct RemoveCommand {
  std::vector<ChannelPtr> channels;
};
struct ReadCommand {
  std::vector<model::ChannelId> ids;
  std::vector<ChannelPtr> channels;  // null: unknown
  SteadyTime deadline;
  std::function<void(std::vector<ReadOutcome>)> on_done;
};
struct PutCommand {
  std::vector<Put> puts;
  std::vector<ChannelPtr> channels;  // null: unknown
  Duration timeout;
  std::function<void(std::vector<PutOutcome>)> on_outcomes;
};
using Command = std::variant<AddCommand, RemoveCommand, ReadCommand, PutCommand>;

/// A read under way. A get is known to libca by a token: this batch's number and its index.
struct ReadBatch {
  std::vector<ReadOutcome> outcomes;
  std::vector<bool> done;
  std::size_t open = 0;
  SteadyTime deadline;
  std::function<void(std::vector<ReadOutcome>)> on_done;
};

struct PutBatch {
  std::vector<PutOutcome> outcomes;  // to be handed over
  bool queued = false;               // in CaClient::settled_
  std::function<void(std::vector<PutOutcome>)> on_outcomes;
};
struct PutJob {
  std::shared_ptr<PutBatch> batch;
  ChannelPtr channel;
  model::PvValue value;
};

class CaClient final : public Client, public std::enable_shared_from_this<CaClient> {
 public:
  CaClient(CaOptions options, std::function<void()> wake)
      : options_(std::move(options)),
        queue_(options_.limits.queue_updates_max, std::move(wake)),
        window_(options_.limits.puts_per_ioc) {}

  Result<Unit> start();
  /// Answers all that is open and ends the worker. Once, and before the last reference goes.
  void close();
  ~CaClient() override;

  void add(std::vector<ChannelSpec> channels) override;
  void remove(std::vector<model::ChannelId> channels) override;
  std::vector<model::PvUpdate> drain() override { return queue_.drain(); }
  void read(std::vector<model::ChannelId> channels, Duration timeout,
            std::function<void(std::vector<ReadOutcome>)> on_done) override;
  void put(std::vector<Put> puts, Duration timeout,
           std::function<void(std::vector<PutOutcome>)> on_outcomes) override;
  ClientStatus status() const override;

 private:
  struct Context {
    ca_client_context* ca = nullptr;
    std::size_t channels = 0;
    bool dirty = false;  // It has requests that are not flushed.
  };

  // Callbacks: on libca's threads.
  static void on_connection(connection_handler_args args);
  static void on_rights(access_rights_handler_args args);
  static void on_ctrl(event_handler_args args);
  static void on_value(event_handler_args args);
  static void on_read(event_handler_args args);
  static void on_put(event_handler_args args);
  void take_errlog();  // libCom's own log, into ours
  void leave_errlog();
  static void install_handlers();  // of the context attached
  static std::shared_ptr<model::PvMeta> basic_meta(const Channel& channel, oldChannelNotify* ca);
  void announce(Channel& channel, std::shared_ptr<const model::PvMeta> meta);
  void post_event(Channel& channel, Event::Kind kind,
                  std::shared_ptr<const model::PvMeta> meta = nullptr);

  // Any thread.
  void post(Command command);
  void wake_worker();
  std::vector<ChannelPtr> find(const std::vector<model::ChannelId>& ids) const;

  // The worker.
  void run();
  void wait();
  void stop();
  void destroy_contexts();
  bool take_inbox();
  void take(AddCommand command);
  void take(RemoveCommand command);
  void take(ReadCommand command);
  void take(PutCommand command);
  void take(Event event);
  void take(ReadDone done);
  void take(PutDone done);
  void search();
  void ask(const ChannelPtr& channel, std::uint64_t read);
  void send_asks();
  bool send_ask(const Ask& ask);
  void ask_answered(Channel& channel);
  void drop_late_asks();
  void check_patience(SteadyTime now);
  void expire(SteadyTime now);
  void send_puts();
  void send_put(PutId id);
  void deliver();
  void flush();

  void attach(std::size_t context);
  bool new_context();
  std::size_t main_context_for(const std::string& server);
  void create(Channel& channel, Channel::Place place, std::size_t context);
  void clear(Channel& channel);
  void seek(const ChannelPtr& channel);
  void quarantine(Channel& channel);
  bool subscribe(Channel& channel);
  bool get(Channel& channel, std::uint64_t token);
  void lose_puts(Channel& channel, const char* waiting_reason);
  void finish(PutId id, PutState state, std::string reason);
  void settle(const std::shared_ptr<PutBatch>& batch, PutOutcome outcome);
  void finish_read(std::uint64_t batch, const std::string& open_error);

  // Constant after start().
  const CaOptions options_;
  int wake_fd_ = -1;
  std::unique_ptr<SearchSocket> socket_;
  std::thread worker_;

  UpdateQueue queue_;
  std::atomic<std::uint32_t> connected_{0};
  std::atomic<std::uint32_t> never_connected_{0};
  std::atomic<std::uint32_t> puts_in_flight_{0};

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::unordered_map<model::ChannelId, ChannelPtr> by_id_;
  std::uint64_t next_lane_ = 1;

  std::mutex inbox_mutex_;
  // Guarded by inbox_mutex_. Callbacks take this one, and hold it for a push_back.
  std::vector<Command> commands_;
  std::vector<Event> events_;
  std::vector<ReadDone> reads_done_;
  std::vector<PutDone> puts_done_;
  bool woken_ = false;
  bool stop_ = false;

  // Only on the worker thread.
  std::vector<Context> contexts_;  // [kQuarantine], and at least one more
  std::optional<std::size_t> attached_;
  std::unordered_map<std::string, Server> servers_;
  std::vector<Server*> asking_;  // Their batch is not answered, or another waits.
  NameSearch search_;
  std::unordered_map<SearchId, ChannelPtr> sought_;
  std::uint32_t next_search_ = 1;
  std::vector<ChannelPtr> unproven_;  // created in main, not connected yet; oldest first
  std::uint64_t next_incarnation_ = 1;
  std::unordered_map<std::uint64_t, ReadBatch> reads_;
  std::uint64_t next_read_ = 1;
  PutWindow window_;
  std::unordered_map<PutId, PutJob> puts_;
  std::uint64_t next_put_ = 1;
  std::vector<std::shared_ptr<PutBatch>> settled_;  // with outcomes to hand over
};

inline void* as_user(std::uint64_t token) { return reinterpret_cast<void*>(token); }
inline std::uint64_t as_token(void* user) { return reinterpret_cast<std::uint64_t>(user); }
static_assert(sizeof(void*) == sizeof(std::uint64_t));

}  // namespace tidemark::epics
