#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "bus/curve_keys.h"
#include "fake_site.h"

namespace tidemark::tools {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

class KeygenCommand : public testing::Test {
 protected:
  KeygenCommand() {
    std::string name = "/tmp/tidemark-keygen-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~KeygenCommand() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  mode_t mode(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::stat(path(name).c_str(), &status), 0) << name;
    return status.st_mode & 07777U;
  }
  std::string site_file(const std::string& bus) const {
    std::ofstream(path("site.toml")) << "[site]\nnodes = [\"registry\", \"monitor\"]\n" << bus;
    return path("site.toml");
  }
  std::vector<std::string> names_allowed(const std::string& directory) const {
    std::vector<std::string> names;
    const auto allowed = bus::load_allowed_keys(directory);
    EXPECT_TRUE(allowed);
    for (const auto& [key, name] : allowed.value()) names.push_back(name);
    return names;
  }

  FakeSite site_;
  std::string directory_;
};

TEST_F(KeygenCommand, MakesAKeyForEveryNodeAndAllowsThemAll) {
  const auto file = site_file(
      "[bus]\ntransport = \"tcp\"\nregistry = \"tcp://10.9.0.1:5610\"\n"
      "keys = \"secrets\"\n");
  const auto ran = site_.run({"keygen", "-c", file});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("keys = \"" + path("secrets") + "\""));
  EXPECT_THAT(names_allowed(path("secrets")),
              UnorderedElementsAre("registry", "monitor", "supervisor", "cli"));
  for (const std::string name : {"registry", "monitor", "supervisor", "cli"}) {
    EXPECT_EQ(mode("secrets/" + name + ".secret"), 0600U);
    EXPECT_EQ(mode("secrets/" + name + ".public"), 0644U);
    EXPECT_TRUE(bus::load_curve_keys(path("secrets"), name));
  }
}

TEST_F(KeygenCommand, PutsKeysBesideASiteFileThatNamesNoDirectory) {
  const auto ran = site_.run({"keygen", "-c", site_file("")});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_TRUE(std::filesystem::exists(path("keys/registry.secret")));
}

TEST_F(KeygenCommand, NamedKeyNeedsNoSiteAndIsNotAllowed) {
  const auto ran = site_.run({"keygen", "alice", "--directory", path("keys")});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(mode("keys/alice.secret"), 0600U);
  EXPECT_FALSE(std::filesystem::exists(path("keys/allowed")));
  EXPECT_THAT(ran.out, HasSubstr("put alice.public into allowed/"));
}

TEST_F(KeygenCommand, ReplacesAKeyOnlyWhenForced) {
  site_.run({"keygen", "alice", "--directory", path("keys")});
  const auto before = bus::load_public_key(path("keys"), "alice").value();
  const auto refused = site_.run({"keygen", "alice", "--directory", path("keys")});
  EXPECT_NE(refused.exit, 0);
  EXPECT_THAT(refused.err, HasSubstr("alice.secret exists; --force replaces it"));
  EXPECT_EQ(bus::load_public_key(path("keys"), "alice").value(), before);

  EXPECT_EQ(site_.run({"keygen", "alice", "--directory", path("keys"), "--force"}).exit, 0);
  EXPECT_NE(bus::load_public_key(path("keys"), "alice").value(), before);
  EXPECT_EQ(mode("keys/alice.secret"), 0600U);
}

TEST_F(KeygenCommand, OneKeyThatExistsLeavesAllAsTheyAre) {
  site_.run({"keygen", "monitor", "--directory", path("keys")});
  EXPECT_NE(site_.run({"keygen", "-c", site_file("")}).exit, 0);
  EXPECT_FALSE(std::filesystem::exists(path("keys/registry.secret")));
}

TEST_F(KeygenCommand, RefusesNamesThatAreNoFiles) {
  for (const std::string name : {"../alice", "", ".hidden", "a b", "a/b"}) {
    EXPECT_EQ(site_.run({"keygen", name, "--directory", path("keys")}).exit, 2) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(path("keys")));
}

TEST_F(KeygenCommand, SaysItInJson) {
  const auto ran = site_.run({"keygen", "alice", "--directory", path("keys"), "--json"});
  EXPECT_EQ(ran.out,
            "{\"directory\":\"" + path("keys") + "\",\"keys\":[\"alice\"],\"allowed\":false}\n");
}

}  // namespace
}  // namespace tidemark::tools
