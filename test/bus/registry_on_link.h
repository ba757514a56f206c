// test/bus/registry_on_link.h
//
// A registry without actors: a RegistryTable that serves and publishes on a Link.

#pragma once

#include <vector>

#include "bus/link.h"
#include "bus/registry_table.h"

namespace tidemark::bus {

/// Lives as long as its link: the link's callbacks hold it. Only on the loop thread.
class RegistryOnLink {
 public:
  explicit RegistryOnLink(Link& link) : link_(link), table_(link.self().incarnation, link.now()) {
    link_.declare_stream(FrameClass::kDirectory, kDirectoryStream);
    link_.serve("registry.register", [this](const Call& call) {
      grant(call, table_.add(read<NodeInfo>(call), link_.now(), kUtc));
    });
    link_.serve("registry.renew", [this](const Call& call) {
      grant(call, table_.renew(read<Renewal>(call), link_.now(), kUtc));
    });
    link_.serve("registry.goodbye", [this](const Call& call) {
      tell(table_.goodbye(read<Renewal>(call), kUtc));
      call.done(model::pack(Nothing{}));
    });
    link_.serve("registry.forget", [this](const Call& call) {
      const auto changes = table_.forget(read<Forget>(call), link_.now());
      if (!changes) return call.fail(changes.error());
      tell(changes.value());
      call.done(model::pack(Nothing{}));
    });
    link_.serve("registry.directory",
                [this](const Call& call) { call.done(model::pack(table_.answer(link_.now()))); });
    look();
  }

  const RegistryTable& table() const { return table_; }

 private:
  static constexpr UtcTime kUtc{std::chrono::seconds(1'767'225'600)};

  template <class T>
  static T read(const Call& call) {
    return model::unpack<T>(call.payload()).value();
  }
  void grant(const Call& call, const Result<RegistryTable::Changes>& changes) {
    if (!changes) return call.fail(changes.error());
    tell(changes.value());
    call.done(model::pack(table_.lease()));
  }
  void tell(const RegistryTable::Changes& changes) {
    if (changes.empty()) return;
    const auto items = RegistryTable::items(changes);
    link_.publish(FrameClass::kDirectory, kDirectoryStream,
                  static_cast<std::uint32_t>(items.size()), model::pack(items));
  }
  void look() {
    link_.after(std::chrono::milliseconds(250), [this] {
      tell(table_.tick(link_.now(), kUtc));
      look();
    });
  }

  Link& link_;
  RegistryTable table_;
};

}  // namespace tidemark::bus
