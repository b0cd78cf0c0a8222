#include "cpu_client/pictures/svg.h"

#include <gtest/gtest.h>

#include "tests/unit/cpu_client/pictures/well_formed.h"

namespace farm {
namespace {

using testing::xml_fault;

TEST(XmlFaultTest, TellsWhatIsNotWellFormed) {
    EXPECT_EQ(xml_fault("<a b=\"1\"><c/>x &amp; y</a>\n"), "");
    for (const char* bad : {"", "<a>", "<a></b>", "<a/><b/>", "<a b=1/>", "<a>&</a>", "<a>\x01</a>",
                            "<a", "x<a/>", "<a b=\"<\"/>"}) {
        EXPECT_NE(xml_fault(bad), "") << bad;
    }
}

TEST(XmlTextTest, SpecialCharactersBecomeEntities) {
    EXPECT_EQ(xml_text("a<b & \"c\" > 'd'"), "a&lt;b &amp; &quot;c&quot; &gt; &apos;d&apos;");
}

TEST(XmlTextTest, WhatXmlForbidsBecomesAQuestionMark) {
    EXPECT_EQ(xml_text(std::string_view("a\0\x1b\n\x7f", 5)), "a????");
    EXPECT_EQ(xml_text("\xce\xb7"), "\xce\xb7");
    EXPECT_EQ(xml_text("\xce"), "?");
}

TEST(SvgTest, EveryElementIsWellFormed) {
    Svg svg(100, 50);
    const Pixel points[] = {{1, 2}, {3.25, 4}};
    svg.line(points[0], points[1], {.dashes = "4 2"});
    svg.polyline(points, {});
    svg.polyline({}, {});
    svg.dots(points, 2, "#112233");
    svg.dots({}, 2, "#112233");
    svg.circle(points[0], 3, {});
    svg.cross(points[0], 3, {});
    svg.frame({1, 2, 3, 4}, {});
    svg.text(points[0], "</text><script>", {.anchor = Anchor::middle, .degrees = -90});
    const std::string text = std::move(svg).finish();
    EXPECT_EQ(xml_fault(text), "") << text;
    EXPECT_EQ(text.find("<script>"), std::string::npos);
}

TEST(SvgTest, DotsThatCoverEachOtherAreDrawnOnce) {
    const std::vector<Pixel> many(100'000, Pixel{10.1, 10.2});
    Svg svg(100, 100);
    svg.dots(many, 1, "#000000");
    EXPECT_LT(std::move(svg).finish().size(), 500U);
}

}  // namespace
}  // namespace farm
