#pragma once

#include <cstddef>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace farm::testing {

inline constexpr std::size_t point_count = 314;  ///< of in_e1000, of which the reference is

/// File of a tensor of the reference service.
inline std::string reference(const std::string& name) { return "data/reference/" + name + ".csv"; }

/// Rows of numbers separated by commas.
inline std::vector<std::vector<double>> read_rows(const std::string& file) {
    std::vector<std::vector<double>> rows;
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) {
        std::istringstream cells(line);
        std::vector<double> row;
        for (std::string cell; std::getline(cells, cell, ',');) row.push_back(std::stod(cell));
        if (!row.empty()) rows.push_back(std::move(row));
    }
    return rows;
}

/// All numbers of the file, row after row.
template <class Number>
std::vector<Number> read_flat(const std::string& file) {
    std::vector<Number> values;
    for (const std::vector<double>& row : read_rows(file)) {
        for (const double value : row) values.push_back(static_cast<Number>(value));
    }
    return values;
}

/// Groups of points with the same label.
template <class Label>
std::set<std::set<std::size_t>> partition_of(const std::vector<Label>& labels) {
    std::map<Label, std::set<std::size_t>> groups;
    for (std::size_t i = 0; i < labels.size(); ++i) groups[labels[i]].insert(i);
    std::set<std::set<std::size_t>> partition;
    for (const auto& [label, group] : groups) partition.insert(group);
    return partition;
}

}  // namespace farm::testing
