// nodes/journal_log.h
//
// What this process logs, as records of the journal: a sink of spdlog that numbers each message
// and copies it to disk before the call returns, as origin "<node>/log". What a process leaves
// behind when it dies, with its last words (last_words.h), is delivered by its next start.
//
//   spdlog ──► level, LogLimit ──► subsystem::Outbox ──► journal      spool: <data>/<node>/log/
//
// Never in the way: a write to the page cache, no waiting; what does not fit is counted. Nothing
// on this way logs, so it cannot feed itself.

#pragma once

#include <memory>
#include <string>

#include "bus/link.h"
#include "config/site.h"

namespace tidemark::nodes {

class JournalLog {
 public:
  /// From now on what is logged counts, from the level that the site names; `source` says it.
  static std::shared_ptr<JournalLog> start(const config::Site& site, std::string source);
  ~JournalLog();

  /// The first link is the one; what was said before it goes first. Also keeps the last words of
  /// this process, and reads those of the one before it.
  void attach(const std::shared_ptr<bus::Link>& link, const config::Site& site);
  /// Waits until the journal has all that was said, at most `patience`.
  void flush(Duration patience);
  /// Before `link` goes. What is said later is not recorded.
  void detach(const std::shared_ptr<bus::Link>& link);

 private:
  class Sink;
  explicit JournalLog(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}
  std::shared_ptr<Sink> sink_;
};

}  // namespace tidemark::nodes
