#include "cpu_client/events/trackml_csv.h"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "cpu_client/events/file_text.h"

namespace farm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view hit_header = "hit_id,x,y,z,volume_id,layer_id,module_id\n";

std::string error_of(std::string_view text) {
    const auto hits = parse_hits(text, "e-hits.csv");
    return hits ? "no error" : hits.error().message;
}

TEST(TrackmlCsvTest, ColumnsStandInAnyOrderAmongOthers) {
    const auto hits = parse_hits(
        "z,comment,module_id,layer_id,volume_id,y,x,hit_id\n"
        "-3.5,free text,6,5,4,2.25,1e1,7\r\n"
        "\n"
        "0,,1,1,1,0,0,8",
        "e");
    ASSERT_TRUE(hits) << hits.error().message;
    ASSERT_EQ(hits->size(), 2U);
    EXPECT_EQ(hits->front(), (Hit{7, 10.0F, 2.25F, -3.5F, 4, 5, 6}));
}

TEST(TrackmlCsvTest, MissingColumnIsNamed) {
    const std::string error = error_of("hit_id,x,y,volume_id,layer_id,module_id\n");
    EXPECT_NE(error.find("column 'z' is missing"), std::string::npos) << error;
    EXPECT_NE(error_of("").find("column 'hit_id' is missing"), std::string::npos);
}

TEST(TrackmlCsvTest, ColumnThatIsThereTwiceIsRefused) {
    EXPECT_NE(error_of("hit_id,x,y,z,x,volume_id,layer_id,module_id\n").find("'x' is there twice"),
              std::string::npos);
}

TEST(TrackmlCsvTest, MalformedCellIsGivenWithLineAndColumn) {
    const std::string good = "1,0,0,0,1,1,1\n";
    const auto error = [&](std::string_view line) {
        return error_of(std::string(hit_header) + good + std::string(line));
    };
    EXPECT_EQ(error("2,0.5,1.2.3,0,1,1,1\n"),
              "e-hits.csv:3:7: column 'y': '1.2.3' is not a finite number: correct or remove the "
              "line");
    EXPECT_NE(error("2,0,0,nan,1,1,1\n").find(":3:7: column 'z': 'nan'"), std::string::npos);
    EXPECT_NE(error("2,0,-inf,0,1,1,1\n").find("'-inf'"), std::string::npos);
    EXPECT_NE(error("2,0,1e39,0,1,1,1\n").find("'1e39'"), std::string::npos);
    EXPECT_NE(error("2,0,,0,1,1,1\n").find(":3:5: column 'y': ''"), std::string::npos);
    EXPECT_NE(error("2.5,0,0,0,1,1,1\n").find("'2.5' is not an integer of 32 bits"),
              std::string::npos);
    EXPECT_NE(error("4000000000,0,0,0,1,1,1\n").find("'4000000000'"), std::string::npos);
}

TEST(TrackmlCsvTest, LineWithAnotherNumberOfValuesIsRefused) {
    EXPECT_NE(
        error_of(std::string(hit_header) + "1,0,0\n").find(":2:6: the line has 3 of 7 values"),
        std::string::npos);
    EXPECT_NE(error_of(std::string(hit_header) + "1,0,0,0,1,1,1,5\n").find("more than 7 values"),
              std::string::npos);
}

TEST(TrackmlCsvTest, ParticleIdsKeepAllOf64Bits) {
    const auto particles = parse_particles(
        "particle_id,vx,vy,vz,px,py,pz,q,nhits\n18446744073709551615,0,0,0,1,0,0,-1,9\n", "e");
    ASSERT_TRUE(particles) << particles.error().message;
    EXPECT_EQ(particles->front().particle_id, ~std::uint64_t{0});
}

TEST(TrackmlCsvTest, WhatIsWrittenReadsBackTheSame) {
    const std::vector<TruthHit> truth{
        {1, 1ULL << 52, 0.1F, -2e-7F, 3e8F, 1.0F / 3, 0, -0.0F, 1e-9F}};
    const auto back = parse_truth(format_truth(truth), "e");
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, truth);
}

class TrackmlEventTest : public ::testing::Test {
  protected:
    void SetUp() override { fs::create_directories(folder_); }
    void TearDown() override { fs::remove_all(folder_); }

    TrackmlEvent small_event() const {
        return {{{1, 1, 0, 0, 8, 2, 1}, {2, 2, 0, 0, 8, 4, 1}},
                {{1, 5, 1, 0, 0, 1, 0, 0, 0.5F}, {2, 0, 2, 0, 0, 1e6F, 0, 0, 0}},
                {{5, 0, 0, 0, 1, 0, 0, 1, 1}},
                {{1, 3, 4, 0.25F}}};
    }
    void replace(std::string_view part, std::string_view text) const {
        ASSERT_TRUE(write_file_text(prefix_.string() + "-" + std::string(part) + ".csv", text));
    }
    std::string read_error() const {
        const auto event = read_event(prefix_);
        return event ? "no error" : event.error().message;
    }

    fs::path folder_ = fs::temp_directory_path() / ("trackml_" + std::to_string(::getpid()));
    fs::path prefix_ = event_prefix(folder_, 12);
};

TEST_F(TrackmlEventTest, WrittenEventReadsBackTheSame) {
    EXPECT_EQ(prefix_.filename(), "event000000012");
    ASSERT_TRUE(write_event(prefix_, small_event()));
    const auto event = read_event(prefix_);
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(*event, small_event());
}

TEST_F(TrackmlEventTest, CellsAreLeftWhenTheyAreNotWanted) {
    TrackmlEvent event = small_event();
    ASSERT_TRUE(write_event(prefix_, event));
    replace("cells", "not a table");
    event.cells.clear();
    EXPECT_EQ(*read_event(prefix_, Cells::leave), event);
}

TEST_F(TrackmlEventTest, EventWithoutCellsLeavesNoneOfAnother) {
    ASSERT_TRUE(write_event(prefix_, small_event()));
    TrackmlEvent event = small_event();
    event.cells.clear();
    ASSERT_TRUE(write_event(prefix_, event));
    EXPECT_EQ(*read_event(prefix_), event);
}

TEST_F(TrackmlEventTest, AnyFileOfAnEventIsFound) {
    EXPECT_FALSE(find_event_file(prefix_));
    replace("cells", "");
    EXPECT_EQ(find_event_file(prefix_), prefix_.string() + "-cells.csv");
    EXPECT_FALSE(find_event_file(event_prefix(folder_, 13)));
}

TEST_F(TrackmlEventTest, TruthIsBroughtIntoTheOrderOfTheHits) {
    TrackmlEvent event = small_event();
    std::swap(event.truth[0], event.truth[1]);
    ASSERT_TRUE(write_event(prefix_, event));
    EXPECT_EQ(*read_event(prefix_), small_event());
}

TEST_F(TrackmlEventTest, PartsThatDoNotMatchAreRefused) {
    ASSERT_TRUE(write_event(prefix_, small_event()));
    auto truth = small_event().truth;
    truth[1].hit_id = 3;
    replace("truth", format_truth(truth));
    EXPECT_NE(read_error().find("hit_id 3 is not among the hits"), std::string::npos);
    truth[1].hit_id = 1;
    replace("truth", format_truth(truth));
    EXPECT_NE(read_error().find("hit_id 1 is there twice"), std::string::npos);
    truth.pop_back();
    replace("truth", format_truth(truth));
    EXPECT_NE(read_error().find("1 rows (the event has 2 hits)"), std::string::npos);
    replace("truth", format_truth(small_event().truth));
    replace("cells", "hit_id,ch0,ch1,value\n9,1,1,1\n");
    EXPECT_NE(read_error().find("hit_id 9 is not among the hits"), std::string::npos);
    replace("particles", "particle_id,vx,vy,vz,px,py,pz,q,nhits\n6,0,0,0,1,0,0,1,1\n");
    EXPECT_NE(read_error().find("particle_id 5 is not among the particles"), std::string::npos);
    fs::remove(prefix_.string() + "-hits.csv");
    EXPECT_EQ(read_event(prefix_).error().code, ErrorCode::not_found);
}

TEST(TrackmlRealEventTest, ReadsTheRealReducedEvent) {
    const auto event = read_event("data/trackml/event000000001");
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->hits.size(), 5527U);
    EXPECT_EQ(event->truth.size(), 5527U);
    EXPECT_EQ(event->cells.size(), 18564U);
    EXPECT_EQ(event->particles.size(), 548U);
}

}  // namespace
}  // namespace farm
