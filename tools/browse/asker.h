// tools/browse/asker.h
//
// Carries questions to the journal and answers back, and never waits: the keys go on meanwhile.
//
//   loop of keys ── ask() ──► link ──► journal
//        ▲                     │
//        └── take() ◄── queue ◄┘      fd() is readable when there is something to take

#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "tools/browse/state.h"
#include "tools/browse/wake.h"
#include "tools/client.h"

namespace tidemark::tools::browse {

class Asker {
 public:
  /// `client` must follow the directory, so that a journal that comes back is found. `wake` is
  /// signalled for each answer.
  Asker(Client& client, std::shared_ptr<Wake> wake, Duration budget);

  /// An earlier question for the same purpose is cancelled. Threads: one.
  void ask(const Ask& question);
  void forget(Purpose purpose);
  /// Answers to questions that nobody has forgotten.
  std::vector<Answer> take();

 private:
  struct Arrived {
    Purpose purpose{};
    std::uint64_t ticket = 0;
    Result<Reply> reply;
  };
  class Inbox;
  struct Open {
    std::uint64_t ticket = 0;
    std::optional<bus::CallId> call;
  };

  Client& client_;
  const Duration budget_;
  const std::shared_ptr<Inbox> inbox_;
  std::array<Open, kPurposes> open_;
  std::uint64_t tickets_ = 0;
};

}  // namespace tidemark::tools::browse
