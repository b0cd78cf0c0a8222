#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace farm::testing {

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

}  // namespace farm::testing
