#include "cpu_client/app/exit_code.h"

#include <set>

#include <gtest/gtest.h>

#include "cpu_client/app/child_farm.h"
#include "cpu_client/app/infer_text.h"

namespace farm {
namespace {

TEST(ExitCodeTest, StatusesAreDistinctAndDocumented) {
    std::set<int> codes;
    for (int i = 0; i <= static_cast<int>(CallStatus::internal); ++i) {
        const auto status = static_cast<CallStatus>(i);
        codes.insert(exit_code(status));
        if (status == CallStatus::ok) continue;
        EXPECT_GE(exit_code(status), 10);
        const std::string entry =
            std::to_string(exit_code(status)) + ' ' + std::string(to_string(status));
        EXPECT_NE(exit_code_help().find(entry), std::string::npos) << entry;
    }
    EXPECT_EQ(codes.size(), static_cast<std::size_t>(CallStatus::internal) + 1);
    EXPECT_EQ(exit_code(CallStatus::ok), 0);
}

TEST(ExitCodeTest, ErrorsNeverLookLikeSuccess) {
    for (const ErrorCode code :
         {ErrorCode::invalid, ErrorCode::not_found, ErrorCode::too_large, ErrorCode::unauthorized,
          ErrorCode::unavailable, ErrorCode::protocol, ErrorCode::io, ErrorCode::device,
          ErrorCode::internal}) {
        EXPECT_NE(exit_code(Error{code, ""}), 0);
    }
    EXPECT_EQ(exit_code(Error{ErrorCode::unavailable, ""}), exit_code(CallStatus::unavailable));
    EXPECT_EQ(exit_code(Error{ErrorCode::invalid, ""}), 1) << "10 is what a worker says of a call";
}

TEST(OutputFileNameTest, StaysInItsFolder) {
    EXPECT_EQ(output_file_name("scores"), "scores.npy");
    EXPECT_EQ(output_file_name("../../etc/x"), "_.._.._etc_x.npy");
    EXPECT_EQ(output_file_name(""), "_.npy");
    EXPECT_EQ(output_file_name("a\nb"), "a?b.npy");
}

TEST(ChildFarmTest, BindUrlMustBeReachable) {
    for (const char* url : {"tcp://127.0.0.1:0", "ipc://*", "http://x", "tcp://*"}) {
        const auto farm = ChildFarm::start({.bind_url = url, .models = ".", .insecure = false});
        ASSERT_FALSE(farm) << url;
        EXPECT_EQ(farm.error().code, ErrorCode::invalid) << farm.error().message;
    }
}

TEST(FindProgramTest, MissingProgramNamesThePlaces) {
    const auto found = find_program("farm-no-such-program");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::not_found);
    EXPECT_NE(found.error().message.find("PATH"), std::string::npos);
    EXPECT_TRUE(find_program("sh"));
}

}  // namespace
}  // namespace farm
