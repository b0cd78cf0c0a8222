"""What a run keeps in its work folder: files that are whole, or not there."""
import os


def write_whole(path, write):
    """Calls write(file) with a binary file, which takes its place at `path` once it is written."""
    part = path.with_name(path.name + ".part")
    with open(part, "wb") as file:
        write(file)
    os.replace(part, path)
