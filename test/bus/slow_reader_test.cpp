// test/bus/slow_reader_test.cpp
//
// A reader that stands still is nobody else's trouble, and finds out what it missed.
//
//   publisher ──► healthy reader   sees every item; the publisher waits for nobody else
//        └──────► slow reader      stalls in a callback, or its process is stopped; later goes on
//
// Real sockets, and a real process where one is stopped.

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <sstream>

#include "bus/state_follower.h"
#include "bus/zmq_link.h"
#include "eventually.h"
#include "own_memory.h"

namespace tidemark::bus {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 30s;  // for a loaded machine; a passing test needs a second
constexpr auto kLatencyMax = 250ms;
constexpr std::int64_t kGrowthMax = 40 << 20;  // queues to a peer, and the ring of sent frames
constexpr std::uint64_t kAhead = 500;          // of the healthy reader; less than its queue holds

NodeInfo node(const std::string& name) {
  NodeInfo info;
  info.name = name;
  info.uuid = node_uuid("slow", name);
  info.incarnation = 1;
  return info;
}

std::unique_ptr<Link> open(const std::string& name, std::vector<std::string> data,
                           std::vector<std::string> requests) {
  ZmqLinkOptions options;
  options.self = node(name);
  options.bind_data = std::move(data);
  options.bind_requests = std::move(requests);
  auto link = open_zmq_link(std::move(options));
  TIDEMARK_CHECK(link.ok());
  return std::move(link).value();
}

/// The state that is published: item i is the new value of cell i % 64.
struct Board {
  std::array<std::uint64_t, 64> cells{};
  std::uint64_t last = 0;

  void take(std::uint64_t item) {
    cells[item % cells.size()] = item;
    last = item;
  }
  Bytes packed() const {
    Bytes bytes;
    for (const auto cell : cells) append_le(bytes, cell);
    return bytes;
  }
  static Board unpacked(BytesView bytes) {
    Board board;
    for (std::size_t i = 0; i < board.cells.size(); ++i) {
      board.cells[i] = read_le<std::uint64_t>(bytes, i * sizeof(std::uint64_t));
      board.last = std::max(board.last, board.cells[i]);
    }
    return board;
  }
};

// ---- the slow reader ----------------------------------------------------------------------------

/// What a reader says of itself.
struct Report {
  bool live = false;
  StreamReader::Counters counters;
  std::uint64_t told_lost = 0;  // by on_lost
  std::uint64_t arrived = 0;    // items, in frames that were not sent again
  Board board;
};

/// Follows the board on a link of its own, and answers questions about that.
class Reader {
 public:
  explicit Reader(const std::string& requests) : link_(open("reader", {}, {requests})) {
    link_->serve("follow", [this](const Call& call) {
      auto publisher = node("publisher");
      std::istringstream endpoints(call.payload());
      publisher.data_endpoints.resize(1);
      publisher.request_endpoints.resize(1);
      endpoints >> publisher.data_endpoints[0] >> publisher.request_endpoints[0];
      link_->set_peer(publisher);
      follow();
      call.done({});
    });
    link_->serve("report", [this](const Call& call) { call.done(report()); });
  }
  ~Reader() {
    set_stalled(false);
    link_.reset();
  }

  /// The next items keep the loop until this is taken back.
  void set_stalled(bool is_stalled) {
    stalled_ = is_stalled;
    stalled_.notify_all();
  }
  bool in_stall() const { return in_stall_; }

  static Report parse(const Bytes& text) {
    Report report;
    auto& counters = report.counters;
    std::istringstream words(text.substr(0, text.find('|')));
    words >> report.live >> counters.gaps >> counters.repaired >> counters.items_lost >>
        counters.states >> report.told_lost >> report.arrived;
    report.board = Board::unpacked(BytesView(text).substr(text.find('|') + 1));
    return report;
  }

 private:
  void follow() {
    StateFollowerOptions options;
    options.stream = {node_number(node("publisher").uuid), kLiveStream};
    options.method = "state";
    options.read_state = [](const std::vector<Bytes>&, const Bytes& answer) -> Result<WholeState> {
      return WholeState{1, Board::unpacked(answer).last, {answer}};
    };
    options.on_state = [this](const std::vector<Bytes>& parts) {
      board_ = Board::unpacked(parts.at(0));
    };
    options.on_items = [this](const Bytes& payload) {
      in_stall_ = stalled_.load();
      stalled_.wait(true);
      board_.take(read_le<std::uint64_t>(payload, 0));
      return Result<Unit>(Unit{});
    };
    options.on_lost = [this](const StreamReader::Lost& lost) {
      told_lost_ += lost.to - lost.from + 1;
    };
    link_->subscribe(options.frame_class, options.stream,
                     [this](const Frame& frame) { arrived_ += frame.header.count; });
    follower_ = StateFollower::start(*link_, std::move(options));
  }

  Bytes report() const {
    const auto counters = follower_ ? follower_->counters() : StreamReader::Counters{};
    std::ostringstream text;
    text << (follower_ && follower_->live()) << ' ' << counters.gaps << ' ' << counters.repaired
         << ' ' << counters.items_lost << ' ' << counters.states << ' ' << told_lost_ << ' '
         << arrived_ << '|' << board_.packed();
    return text.str();
  }

  std::atomic<bool> stalled_{false};
  std::atomic<bool> in_stall_{false};
  // Only on the loop thread.
  Board board_;
  std::uint64_t told_lost_ = 0;
  std::uint64_t arrived_ = 0;
  std::shared_ptr<StateFollower> follower_;

  std::unique_ptr<Link> link_;  // last: its loop uses the others
};

/// A Reader in a process of its own.
class ReaderProcess {
 public:
  /// Before this process has threads.
  explicit ReaderProcess(const std::string& requests) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const Reader reader(requests);
    while (true) ::pause();
  }
  ~ReaderProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ReaderProcess(const ReaderProcess&) = delete;
  ReaderProcess& operator=(const ReaderProcess&) = delete;

  void stop() {
    ::kill(pid_, SIGSTOP);
    int status = 0;
    EXPECT_EQ(::waitpid(pid_, &status, WUNTRACED), pid_);
    EXPECT_TRUE(WIFSTOPPED(status));
  }
  void resume() { ::kill(pid_, SIGCONT); }

 private:
  const pid_t pid_;
};

// ---- the others ---------------------------------------------------------------------------------

enum class Way { kStalls, kStopped };
struct Case {
  const char* name;
  bool over_tcp;
  Way way;
};
void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

class SlowReaderTest : public testing::TestWithParam<Case> {
 protected:
  SlowReaderTest() {
    std::string name = "/tmp/tidemark-slow-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    const auto asked_at = endpoint("reader");
    if (GetParam().way == Way::kStopped) {
      process_ = std::make_unique<ReaderProcess>(asked_at);
    } else {
      reader_ = std::make_unique<Reader>(asked_at);
    }
    const auto at = [&](const char* what) {
      return GetParam().over_tcp ? "tcp://127.0.0.1:*" : endpoint(what);
    };
    publisher_ = open("publisher", {at("data")}, {at("req")});
    publisher_->declare_stream(FrameClass::kState, kLiveStream);
    publisher_->serve("state", [this](const Call& call) {
      const std::lock_guard lock(mutex_);
      call.done(board_.packed());
    });
    healthy_ = open("healthy", {}, {});
    healthy_->set_peer(publisher_->self());
    healthy_->subscribe(FrameClass::kState, {node_number(publisher_->self().uuid), kLiveStream},
                        [this](const Frame& frame) { on_frame(frame.header); });
    auto reader = node("reader");
    reader.request_endpoints = {asked_at};
    healthy_->set_peer(reader);
    ask("follow",
        publisher_->self().data_endpoints.at(0) + " " + publisher_->self().request_endpoints.at(0));
  }
  ~SlowReaderTest() override {
    if (reader_) reader_->set_stalled(false);
    healthy_.reset();
    publisher_.reset();
    reader_.reset();
    process_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::string endpoint(const std::string& name) const { return "ipc://" + directory_ + "/" + name; }

  /// On the healthy reader's loop.
  void on_frame(const FrameHeader& header) {
    const auto took = utc_now() - header.sent_at;
    const std::lock_guard lock(mutex_);
    joined_ = true;
    if (header.count > 0) {
      if (header.sequence != seen_ + 1) ++holes_;
      seen_ = header.sequence;
      latencies_.push_back(took);
    }
    seen_more_.notify_all();
  }

  testing::AssertionResult both_have_joined() {
    std::unique_lock lock(mutex_);
    if (!seen_more_.wait_for(lock, kPatience, [this] { return joined_; })) {
      return testing::AssertionFailure() << "the healthy reader heard nothing";
    }
    lock.unlock();
    return reader_becomes([](const Report& report) { return report.live; });
  }

  /// The slow reader gets no further from here on.
  void hold_reader() {
    if (process_) return process_->stop();
    reader_->set_stalled(true);
    EXPECT_TRUE(publish(1, 0));
    const auto deadline = steady_now() + kPatience;
    while (!reader_->in_stall() && steady_now() < deadline) std::this_thread::yield();
    EXPECT_TRUE(reader_->in_stall());
  }
  void release_reader() {
    if (process_) return process_->resume();
    reader_->set_stalled(false);
  }

  /// As fast as the healthy reader takes them.
  testing::AssertionResult publish(std::uint64_t items, std::size_t bytes) {
    Bytes payload(sizeof(std::uint64_t) + bytes, 'x');
    for (std::uint64_t i = 0; i < items; ++i) {
      std::unique_lock lock(mutex_);
      const auto item = board_.last + 1;
      if (!seen_more_.wait_for(lock, kPatience, [&] { return item <= seen_ + kAhead; })) {
        return testing::AssertionFailure()
               << "the healthy reader stays at " << seen_ << " of " << item;
      }
      std::memcpy(payload.data(), &item, sizeof item);
      board_.take(item);
      publisher_->publish(FrameClass::kState, kLiveStream, 1, payload);
    }
    std::unique_lock lock(mutex_);
    if (seen_more_.wait_for(lock, kPatience, [this] { return seen_ == board_.last; })) {
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << "the healthy reader ends at " << seen_;
  }

  /// Nothing of the slow one's trouble shows here.
  void expect_the_healthy_one_saw_all() {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(holes_, 0);
    EXPECT_EQ(latencies_.size(), board_.last);
    std::sort(latencies_.begin(), latencies_.end());
    const auto worst_but_few = latencies_.at(latencies_.size() * 99 / 100);
    EXPECT_LE(worst_but_few, kLatencyMax);
  }

  Answer answer_of(const std::string& method, Bytes payload) {
    std::promise<Answer> promise;
    RequestOptions options;
    options.budget = kPatience;
    healthy_->request(node_number(node("reader").uuid), method, std::move(payload), options,
                      [&](Answer got) { promise.set_value(std::move(got)); });
    return promise.get_future().get();
  }
  Bytes ask(const std::string& method, Bytes payload = {}) {
    auto answer = answer_of(method, std::move(payload));
    EXPECT_TRUE(answer.ok()) << answer.error().message;
    return answer.ok() ? std::move(answer).value() : Bytes();
  }

  testing::AssertionResult reader_becomes(const std::function<bool(const Report&)>& holds) {
    const bool became = eventually(kPatience, [&] {
      report_ = Reader::parse(ask("report"));
      return holds(report_);
    });
    if (became) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "it is at " << report_.board.last << ", live "
                                       << report_.live << ", gaps " << report_.counters.gaps;
  }
  testing::AssertionResult reader_has_the_newest_state() {
    std::unique_lock lock(mutex_);
    const auto wanted = board_;
    lock.unlock();
    return reader_becomes(
        [&](const Report& report) { return report.live && report.board.cells == wanted.cells; });
  }

  std::uint64_t last_item() {
    const std::lock_guard lock(mutex_);
    return board_.last;
  }

  std::string directory_;
  std::unique_ptr<ReaderProcess> process_;
  std::unique_ptr<Reader> reader_;
  Report report_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable seen_more_;
  Board board_;
  bool joined_ = false;
  std::uint64_t seen_ = 0;
  int holes_ = 0;
  std::vector<Duration> latencies_;

  std::unique_ptr<Link> publisher_;
  std::unique_ptr<Link> healthy_;
};

TEST_P(SlowReaderTest, CostsNobodyAnythingAndTakesTheWholeStateInTheEnd) {
  ASSERT_TRUE(both_have_joined());
  ASSERT_TRUE(publish(100, 2000));
  hold_reader();
  const auto before = own_memory_bytes("VmRSS");
  ASSERT_TRUE(publish(40'000, 2000));  // 80 MB: more than all queues and the ring hold
  const auto grown = own_memory_bytes("VmRSS") - before;
  expect_the_healthy_one_saw_all();
  if (kMemoryIsOurs) {
    EXPECT_LT(grown, kGrowthMax);
  }
  RecordProperty("grown_mib", static_cast<int>(grown >> 20));

  release_reader();
  EXPECT_TRUE(reader_has_the_newest_state());
  // A loss that the state hides shows with the next heartbeat. Each item has come or is lost.
  const auto all = last_item();
  EXPECT_TRUE(reader_becomes([&](const Report& report) {
    return report.arrived + report.counters.items_lost == all;
  })) << report_.arrived
      << " came and " << report_.counters.items_lost << " were lost of " << all;
  EXPECT_GE(report_.counters.gaps, 1U);
  EXPECT_GE(report_.counters.states, 2U);
  EXPECT_GT(report_.counters.items_lost, 10'000U);
  EXPECT_EQ(report_.told_lost, report_.counters.items_lost);
}

INSTANTIATE_TEST_SUITE_P(On, SlowReaderTest,
                         testing::Values(Case{"IpcStalledCallback", false, Way::kStalls},
                                         Case{"IpcStoppedProcess", false, Way::kStopped},
                                         Case{"TcpStalledCallback", true, Way::kStalls},
                                         Case{"TcpStoppedProcess", true, Way::kStopped}),
                         [](const auto& test) { return std::string(test.param.name); });

/// Where the kernel's buffers are small, so is the hole: the publisher still keeps what was lost.
using BrieflySlowReaderTest = SlowReaderTest;

TEST_P(BrieflySlowReaderTest, IsSentWhatItLost) {
  ASSERT_TRUE(both_have_joined());
  ASSERT_TRUE(publish(100, 0));
  // Where ZeroMQ's threads are late there are two holes at once, and the whole state fills them.
  for (int round = 0; round < 10; ++round) {
    const auto before = Reader::parse(ask("report")).counters;
    hold_reader();
    ASSERT_TRUE(publish(12'000, 0));
    expect_the_healthy_one_saw_all();
    release_reader();
    ASSERT_TRUE(reader_has_the_newest_state());
    const auto& after = report_.counters;
    EXPECT_GT(after.gaps, before.gaps);
    if (after.states > before.states) continue;
    EXPECT_EQ(after.repaired - before.repaired, after.gaps - before.gaps);
    EXPECT_EQ(after.items_lost, before.items_lost);
    EXPECT_GT(publisher_->counters().frames_sent_again, 1000U);
    return;
  }
  FAIL() << "in no round the lost frames were sent again";
}

INSTANTIATE_TEST_SUITE_P(On, BrieflySlowReaderTest,
                         testing::Values(Case{"IpcStalledCallback", false, Way::kStalls},
                                         Case{"IpcStoppedProcess", false, Way::kStopped}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tidemark::bus
