#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "common/core/error.h"
#include "cpu_client/events/vec3.h"

namespace farm {

/// One flat sensor. Local u and v lie in its plane, w is its normal. At v the sensor reaches from
/// -half_width(v) to half_width(v) in u: a rectangle, or a trapezoid. Lengths in mm.
struct Module {
    std::int32_t volume_id{0}, layer_id{0}, module_id{0};
    Vec3 centre;
    Vec3 u, v, w;  ///< local axes, unit length
    double half_thickness{0};
    double min_half_u{0};  ///< at v = -half_v
    double max_half_u{0};  ///< at v = +half_v
    double half_v{0};
    double pitch_u{0}, pitch_v{0};

    double half_width(double v) const;
    bool contains(double u, double v) const;
    /// Sensors of a barrel face the beam line, those of an endcap the interaction point.
    bool in_barrel() const { return std::abs(w.z) < 0.5; }
};

/// Modules that belong together in a surface: a cylinder of a barrel or a disc of an endcap.
/// Finds the modules around a point of the surface. "Along" is z on a cylinder, r on a disc.
class Layer {
  public:
    /// Where on the surface, and how far from there a module may lie.
    struct Window {
        double phi{0}, phi_margin{0};
        double along{0}, along_margin{0};
    };

    /// `modules` has at least one entry; `members` index it.
    Layer(const std::vector<Module>& modules, std::vector<std::uint32_t> members);

    bool is_barrel() const { return is_barrel_; }
    double position() const { return position_; }      ///< r of the cylinder, z of the disc
    double half_depth() const { return half_depth_; }  ///< modules lie at position +- this
    bool spans(double along) const { return along_min_ <= along && along <= along_max_; }
    double half_thickness() const { return half_thickness_; }  ///< of its sensors

    /// Appends the modules that touch the window, in a fixed order, to `found`.
    void find(const Window& window, std::vector<std::uint32_t>& found) const;

  private:
    struct Extent {
        std::uint32_t module;
        double phi, half_phi;
        double along, half_along;
    };
    std::size_t phi_bin(double phi) const;
    std::size_t along_bin(double along) const;

    bool is_barrel_;
    double position_{0}, half_depth_{0};
    double along_min_{0}, along_max_{0};
    double half_thickness_{0};
    double largest_half_phi_{0}, largest_half_along_{0};
    std::size_t phi_bin_count_{1}, along_bin_count_{1};
    std::vector<Extent> extents_;           ///< by bin
    std::vector<std::uint32_t> bin_begin_;  ///< into extents_, one more than there are bins
};

/// Names a module in the files.
struct ModuleKey {
    std::int32_t volume_id{0}, layer_id{0}, module_id{0};
    friend auto operator<=>(const ModuleKey&, const ModuleKey&) = default;
};

/// A tracking detector around the z axis, as the TrackML challenge describes one. Immutable, for
/// any number of threads. Layers are the groups of equal volume_id and layer_id.
class Detector {
  public:
    /// `modules` have different keys. Errors: invalid when there is none.
    static Result<Detector> from_modules(std::vector<Module> modules);

    /// In the order of their keys.
    const std::vector<Module>& modules() const { return modules_; }
    const std::vector<Layer>& layers() const { return layers_; }
    std::optional<std::uint32_t> index_of(ModuleKey key) const;
    double outer_radius() const { return outer_radius_; }
    double half_length() const { return half_length_; }

  private:
    std::vector<Module> modules_;
    std::vector<Layer> layers_;
    double outer_radius_{0}, half_length_{0};
};

inline constexpr std::size_t module_limit_count = 1'000'000;
inline constexpr std::uintmax_t detector_file_limit_bytes = 256ULL << 20;

/// Columns volume_id, layer_id, module_id, cx, cy, cz, rot_xu to rot_zw, module_t, module_minhu,
/// module_maxhu, module_hv, pitch_u, pitch_v of TrackML's detectors.csv, in any order. Errors
/// (invalid, too_large) name the line, the module, the field and its limits, which bound the work
/// of a hit, too; `file` is only a name for them.
Result<Detector> parse_detector(std::string_view text, std::string_view file);
Result<Detector> read_detector(const std::filesystem::path& file);

}  // namespace farm
