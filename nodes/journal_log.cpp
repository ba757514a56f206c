#include "nodes/journal_log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>

#include "base/incarnation.h"
#include "nodes/last_words.h"
#include "nodes/log_limit.h"
#include "subsystem/outbox.h"

namespace tidemark::nodes {
namespace {

constexpr std::size_t kTextBytesMax = 8192;
constexpr std::size_t kEarlyMax = 1000;  // messages before there is a link
constexpr Duration kMorePause = std::chrono::seconds(1);
constexpr std::size_t kHeldBytesMax = 16u << 20;  // in memory, while the journal is away

model::Level level_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug: return model::Level::kDebug;
    case spdlog::level::info: return model::Level::kInfo;
    case spdlog::level::warn: return model::Level::kWarning;
    default: return model::Level::kError;
  }
}

std::string shortened(std::string_view text) {
  std::string out(text.substr(0, kTextBytesMax));
  if (text.size() > kTextBytesMax) out += "…";
  return out;
}

/// The spool of what `node` logs, and whose it is.
journal::SpoolPlace place_of(const config::Site& site, const std::string& node) {
  return {site.data_directory + "/" + node + "/log", site.bus.spool_bytes_max, true};
}
journal::SpoolOwner owner_of(const bus::NodeInfo& node) {
  return {Uuid::derive(node.uuid.text() + "/log"), node.name + "/log", node.incarnation};
}

}  // namespace

class JournalLog::Sink final : public spdlog::sinks::base_sink<std::mutex>,
                               public std::enable_shared_from_this<Sink> {
 public:
  explicit Sink(std::string source) : source_(std::move(source)) {}

  void attach(const std::shared_ptr<bus::Link>& link, const config::Site& site) {
    const auto& node = link->self();
    const auto place = place_of(site, node.name);
    const auto owner = owner_of(node);
    const auto words_file = site.data_directory + "/" + node.name + "/last-words";
    if (const auto words = take_last_words(words_file)) {
      model::LogMessage said{model::Level::kError,
                             source_,
                             words->text,
                             model::kv::Struct{{"signal", words->signal}},
                             "",
                             words->at};
      if (!journal::add_last_words(place, owner, said)) {
        const std::lock_guard lock(mutex_);
        early_.insert(early_.begin(), std::move(said));
      }
    }
    const auto outbox = subsystem::Outbox::start(
        link, {.journal = bus::node_number(bus::node_uuid(site.name, "journal")),
               .owner = owner,
               .spool = place,
               .for_logs = true,
               .kept_bytes_max = kHeldBytesMax,
               .held_bytes_max = kHeldBytesMax});
    keep_last_words(words_file);
    const std::lock_guard lock(mutex_);
    if (link_) return;
    link_ = link.get();
    outbox_ = outbox;
    for (auto& each : std::exchange(early_, {})) record(std::move(each));
    tick();
  }

  std::shared_ptr<subsystem::Outbox> say_rest() {
    const std::lock_guard lock(mutex_);
    say_more(true);
    return outbox_;
  }

  void detach(const bus::Link* link) {
    std::shared_ptr<subsystem::Outbox> last;  // ends without the lock: it may write
    const std::lock_guard lock(mutex_);
    if (link_ != link) return;
    say_more(true);
    last = std::exchange(outbox_, nullptr);
    closed_ = true;
  }

 private:
  void sink_it_(const spdlog::details::log_msg& said) override {
    const auto now = steady_now();
    const auto level = level_of(said.level);
    const std::string_view text(said.payload.data(), said.payload.size());
    say_more(false);
    if (!limit_.admit(level, text, now)) return;
    record({level, source_, shortened(text), {}, "", UtcTime(said.time.time_since_epoch())});
  }
  void flush_() override {}

  void say_more(bool all) {
    for (auto& [level, text, count] : limit_.more(steady_now(), all)) {
      record({level, source_, std::to_string(count) + " more like it: " + shortened(text),
              model::kv::Struct{{"more", count}}, "", utc_now()});
    }
  }

  /// What was held back is said when its second is over, also when nothing else is said.
  void tick() {
    if (!link_ || closed_) return;
    link_->after(kMorePause, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      const std::lock_guard lock(self->mutex_);
      self->say_more(false);
      self->tick();
    });
  }

  void record(model::LogMessage message) {
    if (outbox_) {
      // When it is refused the outbox counts it, and says so when it takes some again.
      [[maybe_unused]] const auto taken = outbox_->append(std::move(message));
    } else if (!closed_ && early_.size() < kEarlyMax) {
      early_.push_back(std::move(message));
    }
  }

  const std::string source_;
  // Guarded by mutex_, of base_sink.
  LogLimit limit_;
  std::vector<model::LogMessage> early_;
  bus::Link* link_ = nullptr;  // outlives outbox_
  std::shared_ptr<subsystem::Outbox> outbox_;
  bool closed_ = false;
};

std::shared_ptr<JournalLog> JournalLog::start(const config::Site& site, std::string source) {
  if (site.journal.log_level == "off") return nullptr;
  auto sink = std::make_shared<Sink>(std::move(source));
  const auto level = spdlog::level::from_str(site.journal.log_level);
  sink->set_level(level);
  const auto logger = spdlog::default_logger();
  for (const auto& other : logger->sinks()) other->set_level(logger->level());
  logger->set_level(std::min(logger->level(), level));
  logger->sinks().push_back(sink);
  return std::shared_ptr<JournalLog>(new JournalLog(std::move(sink)));
}

JournalLog::~JournalLog() = default;

void JournalLog::attach(const std::shared_ptr<bus::Link>& link, const config::Site& site) {
  sink_->attach(link, site);
}

void JournalLog::flush(Duration patience) {
  const auto outbox = sink_->say_rest();
  if (!outbox) return;
  // Shared, as it may be told after we have given up.
  const auto drained = std::make_shared<std::promise<void>>();
  outbox->when_drained([drained] { drained->set_value(); });
  drained->get_future().wait_for(patience);
}

void JournalLog::detach(const std::shared_ptr<bus::Link>& link) { sink_->detach(link.get()); }

}  // namespace tidemark::nodes
