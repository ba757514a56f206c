#include "subsystem/outbox.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "model/api/journal.h"

namespace tidemark::subsystem {
namespace {

constexpr Duration kRetryMin = std::chrono::milliseconds(20);
constexpr Duration kRetryMax = std::chrono::milliseconds(500);
constexpr Duration kAppendBudget = std::chrono::seconds(5);
constexpr std::size_t kRecordsAtOnce = 1000;
constexpr std::size_t kSectionBytesMax = 1u << 20;  // as much as one request carries

journal::Worth worth_of(const model::Record& record) {
  return std::holds_alternative<model::KvUpdate>(record) ? journal::Worth::kUpdates
                                                         : journal::Worth::kRecords;
}

}  // namespace

Outbox::Outbox(const std::shared_ptr<bus::Link>& link, Options options)
    : link_(*link),
      owned_(link),
      options_(std::move(options)),
      name_(link->self().name),
      waiting_(kWaitingMax, [this] { wake(); }),
      lives_({.bytes_max = options_.kept_bytes_max}, owner(), options_.spool) {}

std::shared_ptr<Outbox> Outbox::start(const std::shared_ptr<bus::Link>& link, Options options) {
  const std::shared_ptr<Outbox> made(new Outbox(link, std::move(options)));
  made->wake();  // An earlier life may have left something.
  return made;
}

Outbox::~Outbox() {
  if (options_.spool.directory.empty()) return;
  number(waiting_.drain());
  say_refused();
}

journal::SpoolOwner Outbox::owner() const {
  if (!options_.owner.node.empty()) return options_.owner;
  const auto& me = link_.self();
  return {me.uuid, me.name, options_.short_lived ? model::api::kShortLived : me.incarnation};
}

void Outbox::wake() {
  const auto at = owned_.lock();
  if (!at || awake_.exchange(true)) return;
  at->after(Duration{0}, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->take();
  });
}

Result<Unit> Outbox::append(model::Record record) {
  if (held_bytes_ <= options_.held_bytes_max) {
    if (options_.for_logs) {
      {
        const std::lock_guard lock(mutex_);
        push(std::span(&record, 1));
      }
      wake();
      return Unit{};
    }
    if (waiting_.push(std::move(record))) return Unit{};
  }
  ++refused_;
  return Error{Code::kUnavailable, "too many records wait for the journal"};
}

std::uint64_t Outbox::dropped() {
  const std::lock_guard lock(mutex_);
  return lives_.dropped() + refused_;
}

void Outbox::take() {
  awake_ = false;
  number(waiting_.drain());
  admit_refused();
  send();
}

void Outbox::number(const std::vector<model::Record>& records) {
  for (std::size_t at = 0; at < records.size();) {
    auto end = at;
    while (end < records.size() && end - at < kRecordsAtOnce &&
           worth_of(records[end]) == worth_of(records[at])) {
      ++end;
    }
    const std::lock_guard lock(mutex_);
    push(std::span(records).subspan(at, end - at));
    at = end;
  }
}

void Outbox::admit_refused() {
  if (held_bytes_ <= options_.held_bytes_max) say_refused();
}

/// The hole in the numbers is seen with the record after it, which says why.
void Outbox::say_refused() {
  const auto refused = refused_.exchange(0);
  if (refused == 0) return;
  const auto why =
      std::to_string(refused) + " records were not taken: too much was held back for the journal";
  if (!options_.for_logs) spdlog::warn(why);
  const model::Record said =
      model::LogMessage{model::Level::kWarning, name_, why, {}, "", utc_now()};
  const std::lock_guard lock(mutex_);
  lives_.skip(refused);
  push(std::span(&said, 1));
}

void Outbox::push(std::span<const model::Record> records) {
  auto packed = model::encode_records({records.begin(), records.end()});
  if (packed.size() > kSectionBytesMax && records.size() > 1) {
    push(records.first(records.size() / 2));
    push(records.subspan(records.size() / 2));
    return;
  }
  if (packed.size() > kRecordBytesMax) {
    // It would be in the way of all others.
    const auto why = "a record of " + std::to_string(packed.size()) +
                     " bytes was not taken: the journal takes at most " +
                     std::to_string(kRecordBytesMax);
    const model::Record said =
        model::LogMessage{model::Level::kWarning, name_, why, {}, "", utc_now()};
    lives_.skip(1);
    return push(std::span(&said, 1));
  }
  lives_.push(journal::SectionFormat::kRecords, worth_of(records.front()),
              static_cast<std::uint32_t>(records.size()), utc_now(), std::move(packed));
  held_bytes_ = lives_.bytes();
}

void Outbox::send() {
  while (!retrying_) {
    model::api::AppendRequest request;
    {
      const std::lock_guard lock(mutex_);
      request = lives_.next();
    }
    if (request.sections.empty()) return;
    link_.request(options_.journal, "journal.append", model::pack(request), {kAppendBudget, {}},
                  [weak = weak_from_this(), generation = generation_](const bus::Answer& answer) {
                    if (const auto self = weak.lock()) self->answered(generation, answer);
                  });
  }
}

void Outbox::answered(std::uint64_t generation, const bus::Answer& answer) {
  if (generation != generation_) return;
  const auto reply = answer ? model::unpack<model::api::AppendReply>(answer.value())
                            : Result<model::api::AppendReply>(answer.error());
  if (!reply) return fail(reply.error());
  retry_ = Duration{0};
  {
    const std::lock_guard lock(mutex_);
    if (lives_.acknowledged(reply.value().through)) ++generation_;
    held_bytes_ = lives_.bytes();
  }
  admit_refused();
  settle();
  send();
}

void Outbox::fail(const Error& error) {
  bool gave_up = false;
  {
    const std::lock_guard lock(mutex_);
    gave_up = journal::is_final(error.code) && lives_.give_up();
    if (!gave_up) lives_.rewind();
  }
  ++generation_;
  if (gave_up) {
    if (!options_.for_logs) {
      spdlog::error("what an earlier life left for the journal is lost: {}", error.message);
    }
    return send();
  }
  if (retry_ == Duration{0} && !options_.for_logs) {
    spdlog::warn("the journal does not take our records ({}); they are held back", error.message);
  }
  retry_ = std::clamp(retry_ * 2, kRetryMin, kRetryMax);
  retrying_ = true;
  settle();
  link_.after(retry_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->retrying_ = false;
    self->send();
  });
}

void Outbox::settle() {
  if (drained_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    // What is logged is on disk: nobody waits for a journal that is away.
    if (!lives_.idle() && !(options_.for_logs && retrying_)) return;
  }
  for (const auto& drained : std::exchange(drained_, {})) drained();
}

void Outbox::when_drained(std::function<void()> drained) {
  const auto at = owned_.lock();
  if (!at) return;
  at->after(Duration{0}, [weak = weak_from_this(), drained = std::move(drained)] {
    const auto self = weak.lock();
    if (!self) return;
    self->take();
    self->drained_.push_back(drained);
    self->settle();
  });
}

}  // namespace tidemark::subsystem
