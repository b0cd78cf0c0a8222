#include "cpu_client/events/detector.h"

#include <algorithm>
#include <numbers>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/trackml_detector.h"

#include "cpu_client/events/random_stream.h"
#include "cpu_client/events/trackml_csv.h"

namespace farm {
namespace {

constexpr std::string_view header =
    "volume_id,layer_id,module_id,cx,cy,cz,rot_xu,rot_xv,rot_xw,rot_yu,rot_yv,rot_yw,rot_zu,rot_zv,"
    "rot_zw,module_t,module_minhu,module_maxhu,module_hv,pitch_u,pitch_v\n";
constexpr std::string_view sensor = "1,0,0,0,1,0,0,0,1,0.15,8,10,30,0.05,0.05\n";  // in x and y

std::string error_of(std::string_view rows) {
    const auto detector = parse_detector(std::string(header) + std::string(rows), "d.csv");
    return detector ? "no error" : detector.error().message;
}

using testing::trackml;

TEST(DetectorTest, TrapezoidIsWidestAtTheEndOfV) {
    Module module;
    module.min_half_u = 8;
    module.max_half_u = 10;
    module.half_v = 30;
    EXPECT_TRUE(module.contains(9.9, 30));
    EXPECT_FALSE(module.contains(8.5, -30));
    EXPECT_TRUE(module.contains(8.9, 0));
    EXPECT_FALSE(module.contains(9.1, 0));
    EXPECT_FALSE(module.contains(0, 30.1));
}

TEST(DetectorTest, ModulesThatCannotBeAreRefused) {
    EXPECT_NE(error_of("").find("no module"), std::string::npos);
    const std::string good = "1,2,3,50,0,500," + std::string(sensor);
    EXPECT_EQ(error_of(good), "no error");
    EXPECT_NE(error_of(good + good).find("module 3 of volume 1, layer 2 is there twice"),
              std::string::npos);
    EXPECT_NE(
        error_of("1,2,3,50,0,500,1,0,0,0,2,0,0,0,1,0.15,8,10,30,0.05,0.05\n").find("rotation"),
        std::string::npos);
    EXPECT_NE(
        error_of("1,2,3,50,0,500,1,0,0,0,1,0,0,0,1,0.15,8,10,0,0.05,0.05\n").find("module_hv"),
        std::string::npos);
    EXPECT_NE(error_of("1,2,3,50,0,500,1,0,0,0,1,0,0,0,1,0.15,8,10,30,1e-9,0.05\n").find("pitch_u"),
              std::string::npos);
    EXPECT_NE(error_of("1,2,3,50,0,1e9," + std::string(sensor)).find("100 m"), std::string::npos);
}

/// A hit takes steps in proportion to thickness / pitch: these ran for hours.
TEST(DetectorTest, SensorTooThickForItsPitchIsRefusedWithItsLine) {
    const auto error = [](const std::string& t, const std::string& pitches) {
        const std::string place = ",50,0,500,1,0,0,0,1,0,0,0,1,";
        return error_of("1,2,3,50,0,500," + std::string(sensor) + "\n1,2,4" + place + t +
                        ",8,10,30," + pitches + "\n");
    };
    EXPECT_EQ(error("1e9", "0.05,0.05"),
              "d.csv:4: module 4 of volume 1, layer 2: module_t is 1e+09 (1e-06 to 10 mm are "
              "possible): correct or remove the line");
    EXPECT_EQ(error("0.15", "0.05,0.0005"),
              "d.csv:4: module 4 of volume 1, layer 2: pitch_v is 5e-04 (0.00075 to 1e+05 mm are "
              "possible): correct or remove the line");
    EXPECT_NE(error("0.15", "0.0005,0.05").find("pitch_u is"), std::string::npos);
    EXPECT_EQ(error("10", "0.05,0.05"), "no error");
}

TEST(DetectorTest, ReadsTheTrackmlDetector) {
    EXPECT_EQ(trackml().modules().size(), 18'728U);
    EXPECT_EQ(trackml().layers().size(), 48U);
    EXPECT_EQ(std::count_if(trackml().layers().begin(), trackml().layers().end(),
                            [](const Layer& layer) { return layer.is_barrel(); }),
              10);
    EXPECT_FALSE(trackml().index_of({8, 2, 100'000}));
}

/// Rotations, the direction of the trapezoids and the meaning of half sizes in one.
TEST(DetectorTest, RealHitsLieOnTheirModules) {
    const auto hits = read_hits("data/trackml/event000000001-hits.csv");
    ASSERT_TRUE(hits) << hits.error().message;
    for (const Hit& hit : *hits) {
        const auto index = trackml().index_of({hit.volume_id, hit.layer_id, hit.module_id});
        ASSERT_TRUE(index);
        const Module& module = trackml().modules()[*index];
        const Vec3 local = Vec3{hit.x, hit.y, hit.z} - module.centre;
        EXPECT_NEAR(dot(local, module.w), 0, 0.01);
        EXPECT_TRUE(module.contains(dot(local, module.u), dot(local, module.v))) << hit.hit_id;
    }
}

/// All modules of the layer one by one are the second opinion.
TEST(LayerTest, FindsEachModuleAtAPointOfIt) {
    RandomStream random({1, 0, 0, 0});
    for (int i = 0; i < 20'000; ++i) {
        const auto count = static_cast<std::uint32_t>(trackml().modules().size());
        const std::uint32_t index = random.below(count);
        const Module& module = trackml().modules()[index];
        const double v = random.uniform(-module.half_v, module.half_v);
        const double u = random.uniform(-1, 1) * module.half_width(v);
        const Vec3 point = module.centre + u * module.u + v * module.v;
        std::vector<std::uint32_t> found;
        for (const Layer& layer : trackml().layers()) {
            if (layer.is_barrel() != module.in_barrel()) continue;
            const double across = layer.is_barrel() ? perp(point) : point.z;
            if (std::abs(across - layer.position()) > layer.half_depth() + 1e-6) continue;
            const double along = layer.is_barrel() ? point.z : perp(point);
            layer.find({phi(point), 1e-6, along, 1e-6}, found);
        }
        EXPECT_EQ(std::count(found.begin(), found.end(), index), 1) << index;
    }
}

TEST(LayerTest, WideWindowFindsEveryModuleOnce) {
    for (const Layer& layer : trackml().layers()) {
        std::vector<std::uint32_t> found;
        layer.find({3, 2 * std::numbers::pi, 0, 1e4}, found);
        std::sort(found.begin(), found.end());
        EXPECT_EQ(std::adjacent_find(found.begin(), found.end()), found.end());
        EXPECT_GE(found.size(), 98U);
    }
}

}  // namespace
}  // namespace farm
