// What listening can meet, and what the operator is told.
#include "common/net/url.h"
#include "tests/integration/net/endpoints.h"

namespace farm::testing {
namespace {

class BindTest : public ::testing::Test {
  protected:
    TemporaryFolder folder;
    Loop loop;
    std::unique_ptr<Router> first{loop.router()};
    std::unique_ptr<Router> second{loop.router()};
};

TEST_F(BindTest, SeveralAddressesServeOneRouter) {
    const std::string tcp = *first->bind("tcp://127.0.0.1:0");
    const std::string ipc = *first->bind("ipc://" + folder.file("s"));
    EXPECT_EQ(first->addresses(), (std::vector<std::string>{tcp, ipc}));
    EXPECT_NE(parse_url(tcp)->port, 0);
    for (const std::string& url : {tcp, ipc}) {
        auto dealer = loop.connected(url);
        send(*dealer, {"x"});
        EXPECT_TRUE(loop.next(*first));
        loop.drop(dealer);
    }
}

TEST_F(BindTest, PortInUseIsNamedWithWhatToDo) {
    const std::string url = *first->bind("tcp://127.0.0.1:0");
    const auto refused = second->bind(url);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::io);
    EXPECT_NE(refused.error().message.find(url + " (the port is in use"), std::string::npos)
        << refused.error().message;
}

TEST_F(BindTest, LiveIpcPathIsNotStolen) {
    const std::string url = "ipc://" + folder.file("s");
    ASSERT_TRUE(first->bind(url));
    const auto refused = second->bind(url);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("in use"), std::string::npos);
    auto dealer = loop.connected(url);
    send(*dealer, {"x"});
    EXPECT_TRUE(loop.next(*first));
}

TEST_F(BindTest, FileInTheWayIsNotRemoved) {
    const std::string path = folder.write("s", "precious");
    const auto refused = first->bind("ipc://" + path);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid);
    EXPECT_EQ(std::filesystem::file_size(path), 8U);
}

TEST_F(BindTest, ForeignAddressMissingFolderAndNonsenseAreErrors) {
    EXPECT_EQ(first->bind("tcp://192.0.2.1:0").error().code, ErrorCode::invalid);
    EXPECT_EQ(first->bind("ipc://" + folder.file("none/s")).error().code, ErrorCode::not_found);
    EXPECT_EQ(first->bind("tcp://*").error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace farm::testing
