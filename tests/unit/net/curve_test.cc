#include "common/net/curve.h"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "tests/unit/net/temporary_folder.h"

namespace farm {
namespace {

TEST(CurveKeyTest, FilesRoundTrip) {
    const testing::TemporaryFolder folder;
    const KeyPair keys = *generate_key_pair();
    ASSERT_TRUE(write_key_pair(keys, folder.file("node"), "atlas", {Role::worker}));
    const auto read = read_key_pair(folder.file("node.secret"));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->secret_key, keys.secret_key);
    EXPECT_EQ(read->public_key, keys.public_key);
    EXPECT_EQ(*read_public_key(folder.file("node.pub")), keys.public_key);
    EXPECT_EQ(*read_public_key(keys.public_key), keys.public_key);
}

TEST(CurveKeyTest, SecretFileIsPrivateAndOthersAreRefused) {
    const testing::TemporaryFolder folder;
    ASSERT_TRUE(write_key_pair(*generate_key_pair(), folder.file("node"), "", {}));
    const std::string path = folder.file("node.secret");
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);

    ::chmod(path.c_str(), 0640);
    const auto read = read_key_pair(path);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::unauthorized);
    EXPECT_NE(read.error().message.find("0640"), std::string::npos);
}

TEST(CurveKeyTest, KeysAreNeverOverwritten) {
    const testing::TemporaryFolder folder;
    const KeyPair keys = *generate_key_pair();
    ASSERT_TRUE(write_key_pair(keys, folder.file("node"), "", {}));
    EXPECT_FALSE(write_key_pair(*generate_key_pair(), folder.file("node"), "", {}));
    EXPECT_EQ(read_key_pair(folder.file("node.secret"))->secret_key, keys.secret_key);
}

TEST(CurveKeyTest, HalfWrittenPairIsTakenBack) {
    const testing::TemporaryFolder folder;
    folder.write("node.pub", "taken");
    EXPECT_FALSE(write_key_pair(*generate_key_pair(), folder.file("node"), "", {}));
    EXPECT_FALSE(std::filesystem::exists(folder.file("node.secret")));
}

TEST(CurveKeyTest, OnlyZ85Of40CharactersIsAKey) {
    EXPECT_TRUE(is_curve_key(generate_key_pair()->public_key));
    EXPECT_TRUE(is_curve_key(std::string(40, '0')));
    EXPECT_FALSE(is_curve_key(std::string(39, '0')));
    EXPECT_FALSE(is_curve_key(std::string(41, '0')));
    EXPECT_FALSE(is_curve_key(std::string(39, '0') + " "));
    EXPECT_FALSE(is_curve_key(std::string(39, '0') + "\""));
    EXPECT_FALSE(is_curve_key(std::string(40, '#')));  // decodes to more than 32 bits
}

TEST(CurveKeyTest, FileWithoutKeyIsAnError) {
    const testing::TemporaryFolder folder;
    EXPECT_EQ(read_public_key(folder.write("a.pub", "hello\n")).error().code, ErrorCode::invalid);
    EXPECT_EQ(read_public_key(folder.file("none.pub")).error().code, ErrorCode::not_found);
    EXPECT_EQ(read_public_key(folder.write("b.pub", std::string(5000, 'x'))).error().code,
              ErrorCode::too_large);
}

}  // namespace
}  // namespace farm
