// tools/sample_printer.h
//
// The samples of one PV, one a line, as they come: text of fixed widths, JSON or CSV.

#pragma once

#include "model/api/past.h"
#include "tools/context.h"
#include "tools/table.h"

namespace tidemark::tools {

class SamplePrinter {
 public:
  /// `pv` has units, precision and labels. Both outlive this. `lateness`: as it was asked with.
  SamplePrinter(const Context& context, const model::api::LiveValue& pv, bool csv,
                const std::optional<Duration>& lateness)
      : context_(context), pv_(pv), csv_(csv), lateness_(lateness) {}

  void titles() const;
  void print(const model::PvUpdate& update, std::uint64_t line) const;

 private:
  void row(const Cell& time, Cell value, const Cell& alarm, const Cell& line) const;

  const Context& context_;
  const model::api::LiveValue& pv_;
  const bool csv_;
  const std::optional<Duration> lateness_;
};

}  // namespace tidemark::tools
