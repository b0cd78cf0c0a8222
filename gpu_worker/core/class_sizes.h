#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "gpu_worker/core/batch_sizes.h"

namespace farm {

/// The learned batch sizes of one service: one for each shape class, since only calls of one class
/// share a run.
///
/// A row costs what its shape makes it cost, and large runs come of the classes that are called
/// most: one curve for all would show what is called and not what size does. A class of which too
/// little is known goes by the curve of all, which is also what brokers see. Bounded:
/// `most_classes`, those that ran longest ago go first. A value.
class ClassSizes {
  public:
    static constexpr std::size_t most_classes = 32;

    explicit ClassSizes(std::uint32_t most_rows = 0, std::vector<CostPoint> advertised = {});

    /// For a run of this class that begins beside `company - 1` others and could have
    /// `available_rows` rows at most.
    BatchSizes::Choice choose(std::uint64_t shape_class, std::uint32_t company,
                              std::uint32_t available_rows);
    /// As BatchSizes::observe(). Of a class that nobody chose a size for, only all() learns: calls
    /// that share no run all have the same curve.
    void observe(std::uint64_t shape_class, std::uint32_t company, std::uint32_t rows,
                 Duration took, const BatchSizes::Choice& choice, bool is_trial);

    /// Of all classes together.
    const BatchSizes& all() const { return all_; }
    /// The largest that a class does best with.
    std::uint32_t rows() const;
    std::size_t class_count() const { return classes_.size(); }

  private:
    struct Class {
        BatchSizes sizes;
        std::uint64_t last_run{0};
    };

    Class& find(std::uint64_t shape_class);

    std::uint32_t most_rows_{0};
    BatchSizes all_;
    std::map<std::uint64_t, Class> classes_;
    std::uint64_t runs_{0};
};

}  // namespace farm
