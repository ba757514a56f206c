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
      options_(options),
      waiting_(kWaitingMax,
               [this] {
                 const auto at = owned_.lock();
                 if (!at) return;
                 at->after(Duration{0}, [weak = weak_from_this()] {
                   if (const auto self = weak.lock()) self->take();
                 });
               }),
      queue_({.bytes_max = options.kept_bytes_max}) {}

std::shared_ptr<Outbox> Outbox::start(const std::shared_ptr<bus::Link>& link, Options options) {
  return std::shared_ptr<Outbox>(new Outbox(link, options));
}

Result<Unit> Outbox::append(model::Record record) {
  if (held_bytes_ <= options_.held_bytes_max && waiting_.push(std::move(record))) return Unit{};
  ++refused_;
  return Error{Code::kUnavailable, "too many records wait for the journal"};
}

void Outbox::take() {
  const auto records = waiting_.drain();
  for (std::size_t at = 0; at < records.size();) {
    auto end = at;
    while (end < records.size() && end - at < kRecordsAtOnce &&
           worth_of(records[end]) == worth_of(records[at])) {
      ++end;
    }
    push(std::span(records).subspan(at, end - at));
    at = end;
  }
  admit_refused();
  send();
}

/// The hole in the numbers is seen with the record after it, which says why.
void Outbox::admit_refused() {
  if (queue_.bytes() > options_.held_bytes_max) return;
  const auto refused = refused_.exchange(0);
  if (refused == 0) return;
  queue_.skip(refused);
  const auto why =
      std::to_string(refused) + " records were not taken: too much was held back for the journal";
  spdlog::warn(why);
  const model::Record said = model::LogMessage{model::Level::kWarning, link_.self().name, why};
  push(std::span(&said, 1));
}

void Outbox::push(std::span<const model::Record> records) {
  auto packed = model::encode_records({records.begin(), records.end()});
  if (packed.size() > kSectionBytesMax && records.size() > 1) {
    push(records.first(records.size() / 2));
    push(records.subspan(records.size() / 2));
    return;
  }
  queue_.push(journal::SectionFormat::kRecords, worth_of(records.front()),
              static_cast<std::uint32_t>(records.size()), utc_now(), std::move(packed));
  held_bytes_ = queue_.bytes();
}

void Outbox::send() {
  if (retrying_) return;
  while (true) {
    const auto after = queue_.after();
    auto sections = queue_.next();
    if (sections.empty()) return;
    const auto& me = link_.self();
    const auto life = options_.short_lived ? model::api::kShortLived : me.incarnation;
    link_.request(
        options_.journal, "journal.append",
        model::pack(model::api::AppendRequest{me.uuid, me.name, life, after, std::move(sections),
                                              queue_.acknowledged_through()}),
        {kAppendBudget, {}},
        [weak = weak_from_this(), generation = generation_](const bus::Answer& answer) {
          if (const auto self = weak.lock()) self->answered(generation, answer);
        });
  }
}

void Outbox::answered(std::uint64_t generation, const bus::Answer& answer) {
  if (generation != generation_) return;
  const auto reply = answer ? model::unpack<model::api::AppendReply>(answer.value())
                            : Result<model::api::AppendReply>(answer.error());
  if (!reply) {
    if (retry_ == Duration{0}) {
      spdlog::warn("the journal does not take our records ({}); they are held back",
                   reply.error().message);
    }
    ++generation_;
    queue_.rewind();
    retry_ = std::clamp(retry_ * 2, kRetryMin, kRetryMax);
    retrying_ = true;
    link_.after(retry_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->retrying_ = false;
      self->send();
    });
    return;
  }
  retry_ = Duration{0};
  queue_.acknowledged(reply.value().through);
  held_bytes_ = queue_.bytes();
  admit_refused();
  settle();
  send();
}

void Outbox::settle() {
  if (!queue_.idle()) return;
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
