#include "gateway/endpoints.h"

#include <algorithm>

#include "gateway/dto.h"
#include "gateway/json_input.h"
#include "gateway/large_dto.h"
#include "gateway/utf8.h"

namespace tidemark::gateway {
namespace {

namespace api = model::api;

constexpr std::uint32_t kPageSizeMax = 1000;
constexpr std::size_t kUserBytesMax = 255;

Response in_pieces(Pieces pieces) {
  Response response;
  response.pieces = std::move(pieces);
  return response;
}

/// Bodies are JSON, and say so when they say anything: a browser cannot be made to send that to
/// us from a foreign page without asking first.
std::optional<Problems> check_content_type(const Request& request) {
  if (!request.has_content_type) return std::nullopt;
  const std::string_view type(
      request.content_type.data(),
      std::min(request.content_type.find_first_of("; "), request.content_type.size()));
  if (type == "application/json" || type.ends_with("+json")) return std::nullopt;
  return Problems{
      {"model_attributes_type", {"body"}, "Send the body with Content-Type: application/json"}};
}

std::string author_of(const Request& request) {
  return request.user.empty() ? "gateway@" + request.peer : request.user;
}

bool answered_live_values(Exchange& exchange, std::vector<std::string>& names) {
  if (!names.empty()) return false;  // The backend takes an empty list for "all".
  exchange.answer(exchange.frame.ok([](JsonWriter& json) { json.raw("{}"); }));
  return true;
}

void ask_live(Services& services, Exchange& exchange, std::vector<std::string> names,
              bool counted) {
  services.backend.live(
      {std::move(names)},
      exchange.expect<api::LiveReply>([counted](Exchange& self, api::LiveReply reply) {
        self.answer(in_pieces(live_pieces(std::move(reply), counted, self.frame)));
      }));
}

void answer_snapshot_of_job(Services& services, Exchange& exchange, const model::Job& job) {
  if (!model::ended(job.state)) {
    return exchange.answer(
        exchange.frame.error(504, "Snapshot is still being made; ask for job " + job.id.text()));
  }
  if (contract_state(job) != "completed" || job.result.is_nil()) {
    const auto& why = job.error.empty() ? job.message : job.error;
    return exchange.answer(exchange.frame.error(500, "Snapshot creation failed: " + why));
  }
  api::SnapshotGet query;
  query.snapshot = job.result.text();
  query.limit = 1;  // Its header is all we need.
  services.backend.get_snapshot(
      std::move(query),
      exchange.expect<model::Snapshot>([](Exchange& self, const model::Snapshot& snapshot) {
        self.answer(self.frame.ok(
            [&](JsonWriter& json) { write_summary(json, snapshot.header, self.frame.envelope); }));
      }));
}

}  // namespace

void health(Services&, Exchange& exchange) {
  exchange.answer(Frame{}.ok([](JsonWriter& json) { json.raw(R"({"status":"healthy"})"); }));
}

void metrics_text(Services& services, Exchange& exchange) {
  using Statuses = std::vector<api::NodeStatus>;
  services.backend.node_statuses(exchange.expect_result<Statuses>(
      [&metrics = services.metrics](Exchange& self, const Result<Statuses>& nodes) {
        Response response;
        response.content_type = "text/plain; version=0.0.4; charset=utf-8";
        response.body = metrics.text(nodes ? nodes.value() : Statuses{}, nodes.ok());
        self.answer(std::move(response));
      }));
}

void list_pvs(Services& services, Exchange& exchange) {
  const auto& target = exchange.request.target;
  ParamReader params(target);
  api::PvQuery query;
  query.text = params.text("pvName");
  query.limit = params.integer("pageSize", 1, kPageSizeMax).value_or(100);
  query.after = params.text("continuationToken");
  if (!params.problems().empty()) return exchange.answer(exchange.frame.invalid(params.problems()));
  if (const auto* text = target.find("tagFilters"); text && !text->empty()) {
    auto filters = parse_tag_filters(*text);
    if (!filters) return exchange.answer(exchange.frame.error(400, "Invalid tagFilters JSON"));
    query.tag_filters = std::move(*filters);
  }
  services.backend.list_pvs(
      std::move(query), exchange.expect<api::PvPage>([](Exchange& self, const api::PvPage& page) {
        self.answer(self.frame.ok([&](JsonWriter& json) { write_page(json, page); }));
      }));
}

void live_by_query(Services& services, Exchange& exchange) {
  auto names = exchange.request.target.all("pv_names");
  if (names.empty()) {
    return exchange.answer(
        exchange.frame.invalid({{"missing", {"query", "pv_names"}, "Field required"}}));
  }
  ask_live(services, exchange, std::move(names), false);
}

void live_by_body(Services& services, Exchange& exchange) {
  if (const auto problems = check_content_type(exchange.request)) {
    return exchange.answer(exchange.frame.invalid(*problems));
  }
  auto body = parse_live_body(exchange.request.body);
  if (const auto* problems = std::get_if<Problems>(&body)) {
    return exchange.answer(exchange.frame.invalid(*problems));
  }
  auto& names = std::get<LiveBody>(body).pv_names;
  if (answered_live_values(exchange, names)) return;
  ask_live(services, exchange, std::move(names), false);
}

void live_all(Services& services, Exchange& exchange) { ask_live(services, exchange, {}, true); }

void list_snapshots(Services& services, Exchange& exchange) {
  const auto& target = exchange.request.target;
  api::SnapshotQuery query;
  query.title = ParamReader(target).text("title");
  for (const auto& text : target.all("tags")) {
    const auto tag = Uuid::parse(text);
    if (!tag) {
      JsonWriter input;
      input.text(text);
      return exchange.answer(exchange.frame.invalid(
          {{"uuid_parsing", {"query", "tags"}, "Input should be a valid UUID", input.take()}}));
    }
    query.tags.push_back(*tag);
  }
  services.backend.list_snapshots(
      std::move(query),
      exchange.expect<api::SnapshotList>([](Exchange& self, const api::SnapshotList& list) {
        self.answer(self.frame.ok([&](JsonWriter& json) {
          json.begin_array();
          for (const auto& header : list.snapshots) {
            write_summary(json, header, self.frame.envelope);
          }
          json.end_array();
        }));
      }));
}

void create_snapshot(Services& services, Exchange& exchange) {
  const auto& request = exchange.request;
  if (const auto problems = check_content_type(request)) {
    return exchange.answer(exchange.frame.invalid(*problems));
  }
  ParamReader params(request.target);
  const bool async = params.boolean("async", true);
  params.boolean("use_cache", true);  // The live table is the cache, and always fresh.
  auto problems = params.problems();
  if (request.user.size() > kUserBytesMax || !is_utf8(request.user)) {
    problems.push_back({"string_type",
                        {"header", "X-Tidemark-User"},
                        "Input should be at most 255 bytes of UTF-8"});
  }
  auto body = parse_snapshot_body(request.body, exchange.frame.envelope);
  if (const auto* more = std::get_if<Problems>(&body)) {
    problems.insert(problems.end(), more->begin(), more->end());
  }
  if (!problems.empty()) return exchange.answer(exchange.frame.invalid(problems));

  api::SnapshotRequest snapshot;
  snapshot.title = std::move(std::get<SnapshotBody>(body).title);
  snapshot.description = std::move(std::get<SnapshotBody>(body).description);
  snapshot.user = author_of(request);
  if (!request.idempotency_key.empty()) {
    // With the user: nobody gets another one's job by guessing a key.
    snapshot.idempotency =
        Uuid::derive("snapshot\n" + snapshot.user + "\n" + request.idempotency_key);
  }
  services.backend.create_snapshot(
      std::move(snapshot),
      exchange.expect<model::Job>([async, &services](Exchange& self, const model::Job& job) {
        if (async) {
          return self.answer(
              self.frame.ok([&](JsonWriter& json) { write_job_created(json, job); }));
        }
        if (model::ended(job.state)) return answer_snapshot_of_job(services, self, job);
        api::JobQuery query;
        query.job = job.id;
        query.wait = self.answer_timeout / 10 * 8;  // The rest is for asking and answering.
        query.user = author_of(self.request);
        services.backend.job(
            std::move(query),
            self.expect<model::Job>([&services](Exchange& waited, const model::Job& ended_job) {
              answer_snapshot_of_job(services, waited, ended_job);
            }));
      }));
}

void get_snapshot(Services& services, Exchange& exchange) {
  const auto& target = exchange.request.target;
  const auto id = Uuid::parse(target.segments.back());
  if (!id) {
    return exchange.answer(
        exchange.frame.error(404, "Snapshot " + target.segments.back() + " not found"));
  }
  ParamReader params(target);
  api::SnapshotGet query;
  query.snapshot = id->text();
  query.limit = params.integer("limit", 1, UINT32_MAX).value_or(0);
  query.offset = params.integer("offset", 0, UINT32_MAX).value_or(0);
  if (!params.problems().empty()) return exchange.answer(exchange.frame.invalid(params.problems()));

  services.backend.get_snapshot(
      std::move(query),
      exchange.expect<model::Snapshot>([&services](Exchange& self, model::Snapshot snapshot) {
        const bool tagged = std::any_of(snapshot.pvs.begin(), snapshot.pvs.end(),
                                        [](const auto& pv) { return !pv.tags.empty(); });
        if (!tagged) {
          return self.answer(in_pieces(snapshot_pieces(std::move(snapshot), {}, self.frame)));
        }
        auto kept = std::make_shared<model::Snapshot>(std::move(snapshot));
        services.backend.tags(self.expect<api::Tags>([kept](Exchange& named, api::Tags tags) {
          named.answer(
              in_pieces(snapshot_pieces(std::move(*kept), std::move(tags.groups), named.frame)));
        }));
      }));
}

void get_job(Services& services, Exchange& exchange) {
  const auto& text = exchange.request.target.segments.back();
  const auto id = Uuid::parse(text);
  if (!id) return exchange.answer(exchange.frame.error(404, "Job " + text + " not found"));
  api::JobQuery query;
  query.job = *id;
  query.user = author_of(exchange.request);
  services.backend.job(
      std::move(query), exchange.expect<model::Job>([](Exchange& self, const model::Job& job) {
        self.answer(self.frame.ok([&](JsonWriter& json) { write_job(json, job); }));
      }));
}

}  // namespace tidemark::gateway
