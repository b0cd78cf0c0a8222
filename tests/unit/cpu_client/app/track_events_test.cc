#include "cpu_client/app/track_events.h"

#include <gtest/gtest.h>

#include "tests/unit/gpu_worker/temporary_folder.h"

namespace farm {
namespace {

class TrackEventsTest : public ::testing::Test {
  protected:
    void SetUp() override {
        for (const char* name : {"a/event2-hits.csv", "a/event1-hits.csv", "a/event1-truth.csv",
                                 "b/event1-hits.csv"}) {
            folder_.write(name, "");
        }
        std::filesystem::create_directories(folder_.path() / "empty");
    }
    std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

    Error error_of(const std::vector<std::string>& arguments) const {
        const auto events = find_events(arguments);
        return events ? Error{} : events.error();
    }

    testing::TemporaryFolder folder_;
};

TEST_F(TrackEventsTest, FolderStandsForItsEventsInOrder) {
    const auto events = find_events({path("a")});
    ASSERT_TRUE(events) << events.error().message;
    ASSERT_EQ(events->size(), 2U);
    EXPECT_EQ((*events)[0].name, "event1");
    EXPECT_EQ((*events)[0].prefix, path("a/event1"));
    EXPECT_EQ((*events)[1].name, "event2");
}

TEST_F(TrackEventsTest, PrefixAndHitFileNameOneEvent) {
    for (const char* argument : {"a/event2", "a/event2-hits.csv"}) {
        const auto events = find_events({path(argument)});
        ASSERT_TRUE(events) << events.error().message;
        EXPECT_EQ(events->at(0).prefix, path("a/event2"));
    }
}

TEST_F(TrackEventsTest, WhatIsNotThereIsToldWithItsPlace) {
    EXPECT_EQ(error_of({path("a/event3")}).code, ErrorCode::not_found);
    EXPECT_NE(error_of({path("a/event3")}).message.find(path("a/event3-hits.csv")),
              std::string::npos);
    EXPECT_NE(error_of({path("empty")}).message.find("has no events"), std::string::npos);
}

TEST_F(TrackEventsTest, OneNameTwiceIsRefused) {
    EXPECT_EQ(error_of({path("a/event1"), path("b")}).code, ErrorCode::invalid);
    EXPECT_EQ(error_of({path("a"), path("a/event2")}).code, ErrorCode::invalid);
}

}  // namespace
}  // namespace farm
