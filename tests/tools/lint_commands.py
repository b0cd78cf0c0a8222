#!/usr/bin/env python3
"""Rewrites GCC's compile_commands.json for clang-tidy: no precompiled headers, no GCC-only flags.

usage: lint_commands.py IN OUT
"""
import json
import re
import sys


def main():
    with open(sys.argv[1]) as file:
        entries = json.load(file)
    for entry in entries:
        command = re.sub(r" -Winvalid-pch| -fpch-preprocess| -include \S*cmake_pch\S*", "",
                         entry["command"])
        entry["command"] = command
    with open(sys.argv[2], "w") as file:
        json.dump(entries, file, indent=1)


if __name__ == "__main__":
    main()
