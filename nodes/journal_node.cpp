#include <spdlog/spdlog.h>

#include <atomic>
#include <filesystem>
#include <utility>

#include "actors/backup.h"
#include "actors/journal.h"
#include "actors/mark_list.h"
#include "actors/replayer.h"
#include "journal/projection_thread.h"
#include "journal/rocks_backup.h"
#include "journal/rocks_store.h"
#include "journal/scrubber.h"
#include "nodes/chassis.h"
#include "nodes/journal_reads.h"
#include "nodes/kinds.h"

namespace tidemark::nodes {
namespace {

/// Reads all of it, slowly, as long as the node runs; says what is damaged.
std::unique_ptr<journal::Scrubber> scrubber_of(const Chassis& chassis,
                                               std::shared_ptr<const journal::Store> store) {
  const auto board = chassis.board;
  return std::make_unique<journal::Scrubber>(
      std::move(store), journal::Scrubber::Options{},
      [board](const journal::Damage& damage) {
        spdlog::error("journal: {}", damage.why);  // Which is a line of the journal, too.
        board->warning("damage", "journal: " + damage.why + "; see docs/operations.md");
      },
      [board](const journal::ScrubFigures& figures) {
        board->count("tidemark_journal_scrubbed_lines_total",
                     "Lines that were read back and are sound, since the node began",
                     static_cast<double>(figures.lines));
        board->count("tidemark_journal_scrub_passes_total",
                     "How often all lines were read back since the node began",
                     static_cast<double>(figures.passes));
        board->gauge("tidemark_journal_damaged_lines",
                     "Lines that cannot be read, of those that were tried since the node began",
                     static_cast<double>(figures.damaged));
      });
}

/// What journal.backup does.
actors::WriteBackup backups_of(journal::RocksJournal journal, std::string directory) {
  return [journal = std::move(journal), directory = std::move(directory)](
             const model::api::BackupRequest& request,
             const actors::BackupProgress& progress) -> Result<model::api::BackupReply> {
    const auto report = journal::write_backup(journal, directory, request.directory, utc_now(),
                                              progress, request.name);
    if (!report) return report.error();
    const auto& done = report.value();
    spdlog::info("backup {}: up to line {}, {} bytes copied, {} linked", done.directory,
                 journal::raw(done.manifest.last), done.copied_bytes, done.linked_bytes);
    return model::api::BackupReply{done.directory, journal::raw(done.manifest.last),
                                   done.copied_bytes, done.linked_bytes};
  };
}

void tell(const journal::ThinnerCounters& counters, actors::Board& board) {
  board.count("tidemark_journal_segments_closed_total",
              "Segments that the log gave up since the node began",
              static_cast<double>(counters.closed - counters.in_log));
  if (counters.in_log == 0) return;
  board.warning("segments", std::to_string(counters.in_log) +
                                " segments of the journal did not read back as they were; their "
                                "blocks are kept in the log");
}

journal::RetainerOptions retention_of(const config::RetentionConfig& config,
                                      const std::string& directory) {
  journal::RetainerOptions options;
  const auto set = [&](journal::RecordClass of, const config::KeepConfig& keep) {
    auto& rule = options.rules[static_cast<std::size_t>(of)];
    if (keep.age > Duration{0}) rule.age = keep.age;
    if (keep.bytes > 0) rule.bytes = keep.bytes;
  };
  set(journal::RecordClass::kPvUpdates, config.pv_updates);
  set(journal::RecordClass::kLogMessages, config.log_messages);
  set(journal::RecordClass::kKvEvents, config.kv_events);
  options.decimate = config.decimate;
  options.free_min = config.free_min;
  options.watermark_kept = config.watermark_kept;
  options.space = [directory]() -> Result<journal::DiskSpace> {
    std::error_code failure;
    const auto space = std::filesystem::space(directory, failure);
    if (failure) return Error{Code::kUnavailable, directory + ": " + failure.message()};
    return journal::DiskSpace{space.available, space.capacity};
  };
  return options;
}

/// Says once when the disk gets low on room, and when it is not any more.
class RetentionTeller {
 public:
  explicit RetentionTeller(std::shared_ptr<actors::Board> board) : board_(std::move(board)) {}

  void tell(const journal::RetentionFigures& figures) {
    for (const auto of : {journal::RecordClass::kLogMessages, journal::RecordClass::kKvEvents,
                          journal::RecordClass::kPvUpdates}) {
      const auto& each = figures.classes[static_cast<std::size_t>(of)];
      const std::string name = "tidemark_journal_" + std::string(to_string(of));
      board_->gauge(name + "_bytes", "What closed segments have of them",
                    static_cast<double>(each.bytes));
      board_->gauge(name + "_floor_line", "All lines up to this are without them",
                    static_cast<double>(journal::raw(each.floor)));
      board_->count(name + "_expired_total", "Lines that lost them, ever",
                    static_cast<double>(each.expired_lines));
    }
    board_->gauge("tidemark_journal_pv_decimated_bytes", "What decimated PV updates take, about",
                  static_cast<double>(figures.decimated.bytes));
    board_->count("tidemark_journal_pv_decimated_total",
                  "PV updates that expired and are in decimated rows, ever",
                  static_cast<double>(figures.decimated.samples));
    board_->count("tidemark_journal_watermark_bytes_total",
                  "That expired early since the node began, to make room",
                  static_cast<double>(figures.watermark_bytes));
    const auto text = figures.low ? low_text(figures) : std::string();
    board_->warning("room", text);
    if (std::exchange(low_, figures.low) == figures.low) return;
    if (figures.low) {
      spdlog::warn("journal: {}", text);  // Which is a line of the journal, too.
    } else {
      spdlog::info("journal: there is room enough on the disk again");
    }
  }

 private:
  static std::string low_text(const journal::RetentionFigures& figures) {
    std::string text = "the disk is nearly full: the oldest PV updates expire early";
    if (figures.missing > 0) {
      text += ", and " + std::to_string(figures.missing) +
              " bytes more should be free: all else is to be kept";
    }
    return text;
  }

  const std::shared_ptr<actors::Board> board_;
  bool low_ = false;
};

class JournalNode final : public Node {
 public:
  JournalNode(std::unique_ptr<Chassis> chassis, std::shared_ptr<journal::Store> store,
              std::shared_ptr<journal::Projections> projections,
              const std::shared_ptr<journal::Thinner>& thinner,
              const std::shared_ptr<journal::Retainer>& retainer, actors::WriteBackup write_backup)
      : chassis_(std::move(chassis)), store_(std::move(store)) {
    auto& c = *chassis_;
    reads_ = std::make_unique<JournalReads>(*c.system, *c.link, c.context.site.name, store_,
                                            projections);
    projections_ = std::make_shared<journal::ProjectionThread>(
        projections, thinner, retainer,
        [reader = reads_->followers(), retainer, projections, board = c.board,
         teller = std::make_shared<RetentionTeller>(c.board)] {
          caf::anon_send(reader, actors::wake_atom_v);
          teller->tell(retainer->figures());
          actors::warn_of_left_out(projections->marks(), *board);
        });
    journal_ = c.system->spawn<caf::detached>(
        actors::journal_actor, store_, c.board, reads_->followers(), c.link->self().uuid,
        [end = c.context.end](const Error& error) {
          spdlog::critical("journal: {}; ending, so that the next start reads the truth",
                           error.message);
          end({1, error.message});
        },
        [thread = projections_, thinner, board = c.board] {
          thread->wake();
          tell(thinner->counters(), *board);
        });
    backup_ =
        c.system->spawn<caf::detached>(actors::backup_actor, std::move(write_backup), backup_stop_);
    actors::serve_calls(*c.link, "journal.backup", backup_, actors::start_atom_v);
    actors::serve_calls(*c.link, "journal.append", journal_, actors::append_atom_v);
    replayer_ = c.system->spawn<caf::detached>(
        actors::replayer_actor,
        actors::ReplayerOptions{
            c.link, std::move(projections), c.board,
            [names = reads_->names()](const Uuid& origin) { return names->name_of(origin); }});
    actors::serve_calls(*c.link, "journal.replay_start", replayer_, actors::start_atom_v);
    actors::serve_calls(*c.link, "journal.replay_control", replayer_, actors::control_atom_v);
    actors::serve_calls(*c.link, "journal.replay_ack", replayer_, actors::ack_atom_v);
    actors::serve_calls(*c.link, "journal.replay_list", replayer_, actors::list_atom_v);
    actors::serve_calls(*c.link, "journal.replay_state", replayer_, actors::state_atom_v);
    scrubber_ = scrubber_of(c, store_);
    c.board->fact("sync", c.context.site.journal.sync);
    c.board->gauge("tidemark_journal_synced_before_answer",
                   "1: what is acknowledged survives a power cut; 0: it may lose the last 50 ms "
                   "(journal.sync)",
                   c.context.site.journal.sync == "batch" ? 1 : 0);
    c.on_directory.push_back(
        [names = reads_->names()](const bus::Directory& d) { names->learn(d); });
    c.announce();
  }

  ~JournalNode() override {
    scrubber_.reset();
    chassis_->leave(std::chrono::seconds(1));
    caf::anon_send_exit(journal_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(replayer_, caf::exit_reason::user_shutdown);
    backup_stop_->store(true);  // One that runs ends with its next piece.
    caf::anon_send_exit(backup_, caf::exit_reason::kill);
  }

  const std::string& name() const override { return chassis_->context.name; }

 private:
  std::unique_ptr<Chassis> chassis_;
  std::shared_ptr<journal::Store> store_;
  std::shared_ptr<journal::ProjectionThread> projections_;
  std::unique_ptr<JournalReads> reads_;
  actors::Replayer replayer_;
  actors::Journal journal_;
  std::unique_ptr<journal::Scrubber> scrubber_;
  const std::shared_ptr<std::atomic<bool>> backup_stop_ =
      std::make_shared<std::atomic<bool>>(false);
  actors::BackupWriter backup_;
};

}  // namespace

Result<std::unique_ptr<Node>> make_journal_node(NodeContext context) {
  journal::RocksStoreOptions options;
  options.directory = context.site.data_directory + "/" + context.name + "/store";
  options.sync = context.site.journal.sync == "interval" ? journal::SyncMode::kInterval
                                                         : journal::SyncMode::kBatch;
  // The store before the sockets: a second journal on the directory must not even begin.
  const auto made = make_directories(context.site.data_directory + "/" + context.name);
  if (!made) return made.error();
  auto opened = journal::open_rocks_journal(options);
  if (!opened) return opened.error();
  auto& store = opened.value().store;
  const auto projections =
      std::make_shared<journal::Projections>(store, opened.value().projections);
  const auto loaded = projections->load();
  if (!loaded) return loaded.error();
  const auto thinner = std::make_shared<journal::Thinner>(opened.value().segments, projections);
  const auto retainer = std::make_shared<journal::Retainer>(
      opened.value().segments, projections,
      retention_of(context.site.journal.retention, options.directory));
  spdlog::info("journal {} opened at line {}", options.directory, journal::raw(store->last()));
  auto chassis = Chassis::build(std::move(context));
  if (!chassis) return chassis.error();
  return std::unique_ptr<Node>(
      std::make_unique<JournalNode>(std::move(chassis).value(), store, projections, thinner,
                                    retainer, backups_of(opened.value(), options.directory)));
}

}  // namespace tidemark::nodes
