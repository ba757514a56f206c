// test/actors/backup_test.cpp

#include "actors/backup.h"

#include <gmock/gmock.h>

#include "test/support/actor_test.h"
#include "test/support/fake_link.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;

class BackupTest : public test::ActorTest {
 protected:
  std::shared_ptr<test::Asked> ask(const api::BackupRequest& request) {
    auto asked = std::make_shared<test::Asked>();
    caf::anon_send(writer_, start_atom_v, test::call_of(asked, "backup", model::pack(request)));
    settle();
    return asked;
  }

  std::vector<api::BackupRequest> written_;
  BackupWriter writer_ = spawn(
      backup_actor, WriteBackup([this](const api::BackupRequest& request, const BackupProgress&) {
        written_.push_back(request);
        return Result<api::BackupReply>(api::BackupReply{request.directory, 7, 1, 2});
      }),
      std::shared_ptr<const std::atomic<bool>>(std::make_shared<std::atomic<bool>>(false)));
};

TEST_F(BackupTest, IsWrittenWhereItWasAskedFor) {
  const auto asked = ask({"/backup", "2026-11-27T17-30-00.000Z"});
  const auto reply = model::unpack<api::BackupReply>(asked->answer->value()).value();
  EXPECT_EQ(reply.last_line, 7u);
  ASSERT_EQ(written_.size(), 1u);
  EXPECT_EQ(written_[0].name, "2026-11-27T17-30-00.000Z");
  EXPECT_TRUE(ask({"/backup", ""})->answer->ok());
}

TEST_F(BackupTest, StaysInItsDirectory) {
  for (const auto* name : {"../etc", "a/b", ".hidden", "a b"}) {
    EXPECT_EQ(ask({"/backup", name})->answer->error().code, Code::kInvalidArgument) << name;
  }
  EXPECT_EQ(ask({"backup", "name"})->answer->error().code, Code::kInvalidArgument);
  EXPECT_TRUE(written_.empty());
}

}  // namespace
}  // namespace tidemark::actors
