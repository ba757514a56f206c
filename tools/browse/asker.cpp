#include "tools/browse/asker.h"

#include <mutex>
#include <utility>

namespace tidemark::tools::browse {
namespace {

/// Method and payload of a question, and what its answer is read as.
struct Packed {
  const char* method;
  Bytes payload;
  Result<Reply> (*unpack)(const bus::Answer& answer);
  Duration wait{0};
};

template <class T>
Result<Reply> unpack(const bus::Answer& answer) {
  if (!answer) return answer.error();
  auto reply = model::unpack<T>(answer.value());
  if (!reply) return reply.error();
  return Reply(std::move(reply).value());
}

Packed packed(const Question& question) {
  if (const auto* lines = std::get_if<api::ReadRequest>(&question)) {
    return {"journal.read", model::pack(*lines), &unpack<api::ReadReply>, lines->wait};
  }
  if (const auto* marks = std::get_if<api::MarksQuery>(&question)) {
    return {"journal.marks", model::pack(*marks), &unpack<api::MarkList>};
  }
  return {"journal.moment", model::pack(std::get<api::Moment>(question)),
          &unpack<api::MomentReply>};
}

}  // namespace

/// Shared with callbacks, which may come after the asker has gone. At most one answer of each
/// question that was asked waits in it, so its length needs no other limit.
class Asker::Inbox {
 public:
  explicit Inbox(std::shared_ptr<Wake> wake) : wake_(std::move(wake)) {}

  void push(Arrived arrived) {
    {
      const std::lock_guard lock(mutex_);
      arrived_.push_back(std::move(arrived));
    }
    wake_->signal();
  }
  std::vector<Arrived> drain() {
    const std::lock_guard lock(mutex_);
    return std::exchange(arrived_, {});
  }

 private:
  const std::shared_ptr<Wake> wake_;
  std::mutex mutex_;
  std::vector<Arrived> arrived_;  // guarded by mutex_
};

Asker::Asker(Client& client, std::shared_ptr<Wake> wake, Duration budget)
    : client_(client), budget_(budget), inbox_(std::make_shared<Inbox>(std::move(wake))) {}

void Asker::ask(const Ask& question) {
  forget(question.purpose);
  auto& open = open_[static_cast<std::size_t>(question.purpose)];
  open.ticket = ++tickets_;
  const auto answer = [inbox = inbox_, purpose = question.purpose,
                       ticket = open.ticket](Result<Reply> reply) {
    inbox->push({purpose, ticket, std::move(reply)});
  };
  const auto journal = client_.node("journal");
  if (!journal) return answer(Error{Code::kUnavailable, "no node 'journal' has registered"});
  if (bus::is_gone(journal->state)) {
    return answer(Error{Code::kUnavailable, "node 'journal' is " +
                                                std::string(bus::to_string(journal->state)) +
                                                " since " + to_iso(journal->state_since, 0)});
  }
  auto packed_question = packed(question.question);
  bus::RequestOptions options;
  options.budget = budget_ + packed_question.wait;
  open.call = client_.link().request(
      bus::node_number(journal->uuid), packed_question.method, std::move(packed_question.payload),
      std::move(options), [answer, unpack_it = packed_question.unpack](const bus::Answer& bytes) {
        answer(unpack_it(bytes));
      });
}

void Asker::forget(Purpose purpose) {
  auto& open = open_[static_cast<std::size_t>(purpose)];
  if (open.call) client_.link().cancel(*open.call);
  open = {};
}

std::vector<Answer> Asker::take() {
  std::vector<Answer> answers;
  for (auto& arrived : inbox_->drain()) {
    auto& open = open_[static_cast<std::size_t>(arrived.purpose)];
    if (open.ticket != arrived.ticket) continue;
    open = {};
    answers.push_back({arrived.purpose, std::move(arrived.reply)});
  }
  return answers;
}

}  // namespace tidemark::tools::browse
