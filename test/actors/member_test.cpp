#include "actors/member.h"

#include <gmock/gmock.h>

#include "node_test.h"

namespace tidemark::actors {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class MemberTest : public NodeTest {
 protected:
  void SetUp() override {
    member_ = spawn(member_actor,
                    MemberOptions{link_, test::node_called("registry"), board_,
                                  [this](const bus::Directory& directory) {
                                    revisions_.push_back(directory.revision);
                                  },
                                  [this](const Error& error) { fences_.push_back(error); }});
    settle();
  }

  static bus::Directory directory(std::uint64_t revision, bus::Incarnation registry = 1) {
    return {revision, registry, {test::node_called("monitor"), test::node_called("keeper")}};
  }
  std::vector<bus::Call> registrations() const { return link_->asked("registry.register"); }
  void answer_last(bus::Answer answer) {
    if (answer) {
      registrations().back().done(answer.value());
    } else {
      registrations().back().fail(answer.error());
    }
    settle();
  }
  void publish(const bus::Directory& fresh) {
    bus::FrameHeader header;
    header.frame_class = bus::FrameClass::kDirectory;
    header.stream = {test::number_of("registry"), bus::kDirectoryStream};
    header.count = 1;
    link_->deliver(header, model::pack(fresh));
    settle();
  }

  Member member_;
  std::vector<std::uint64_t> revisions_;
  std::vector<Error> fences_;
};

TEST_F(MemberTest, RegistersAtOnceAndEachSecond) {
  ASSERT_THAT(registrations(), SizeIs(1));
  const auto info = model::unpack<bus::NodeInfo>(registrations()[0].payload()).value();
  EXPECT_EQ(info, link_->self());
  pass(seconds(2));
  EXPECT_THAT(registrations(), SizeIs(3));
}

TEST_F(MemberTest, TellsTheLinkWhereOthersAreButNotItself) {
  answer_last(model::pack(directory(1)));
  std::vector<std::string> names;
  for (const auto& each : link_->peers()) names.push_back(each.name);
  EXPECT_THAT(names, ElementsAre("registry", "monitor"));
  EXPECT_THAT(revisions_, ElementsAre(1));
}

TEST_F(MemberTest, TakesADirectoryFromTheStream) {
  publish(directory(3));
  EXPECT_THAT(revisions_, ElementsAre(3));
}

TEST_F(MemberTest, IgnoresADirectoryThatIsOlder) {
  publish(directory(3));
  publish(directory(2));
  answer_last(model::pack(directory(3)));
  EXPECT_THAT(revisions_, ElementsAre(3));
}

TEST_F(MemberTest, BelievesARegistryThatBeganAgain) {
  publish(directory(30, 1));
  publish(directory(1, 2));
  publish(directory(31, 1));
  EXPECT_THAT(revisions_, ElementsAre(30, 1));
}

TEST_F(MemberTest, EndsItsProcessWhenItIsRefused) {
  answer_last(Error{Code::kRefused, "superseded"});
  ASSERT_THAT(fences_, SizeIs(1));
  EXPECT_EQ(fences_[0].message, "superseded");
}

TEST_F(MemberTest, EndsItsProcessWhenItsNameIsTaken) {
  answer_last(Error{Code::kConflict, "name is taken"});
  EXPECT_THAT(fences_, SizeIs(1));
}

TEST_F(MemberTest, GoesOnWithoutTheRegistryAndSaysSo) {
  answer_last(model::pack(directory(1)));
  pass(seconds(1));
  answer_last(Error{Code::kTimeout, "no answer"});
  EXPECT_THAT(fences_, IsEmpty());
  EXPECT_THAT(warnings(), SizeIs(1));

  pass(seconds(1));
  answer_last(model::pack(directory(1)));
  EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(MemberTest, SaysGoodbyeBeforeItStops) {
  const auto stopped = ask<Unit>(member_, stop_atom_v);
  settle();
  ASSERT_THAT(link_->asked("registry.goodbye"), SizeIs(1));
  EXPECT_TRUE(stopped->pending());
  link_->asked("registry.goodbye")[0].fail({Code::kTimeout, "no answer"});
  settle();
  EXPECT_TRUE(stopped->value.has_value());
}

TEST_F(MemberTest, RegistersNoMoreAfterItsGoodbye) {
  ask<Unit>(member_, stop_atom_v);
  settle();
  link_->asked("registry.goodbye")[0].done(model::pack(model::api::Empty{}));
  const auto before = registrations().size();
  pass(seconds(3));
  EXPECT_THAT(registrations(), SizeIs(before));
}

}  // namespace
}  // namespace tidemark::actors
