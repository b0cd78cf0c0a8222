#!/usr/bin/env python3
"""Compares gpu_worker/repository/model_config.proto with Triton's own descriptors.

Usage: check_model_config_proto.py PROTO_FILE [PROTOC]
Needs the PyPI package tritonclient[grpc]; exits 77 (skipped) and says so where it is missing.
Every field of Triton's must be in ours with the same number, type and label, and the reverse.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77


def names_of_enum(scope, enum):
    return {(scope + enum.name, value.name): value.number for value in enum.value}


def facts_of_message(scope, message):
    name = scope + message.name
    facts = {}
    for field in message.field:
        oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
        facts[(name, field.name)] = (field.number, field.type, field.label, field.type_name, oneof)
    for enum in message.enum_type:
        facts.update(names_of_enum(name + ".", enum))
    for nested in message.nested_type:
        facts.update(facts_of_message(name + ".", nested))
    return facts


def facts_of_file(file):
    facts = {("package", ""): file.package, ("syntax", ""): file.syntax}
    for enum in file.enum_type:
        facts.update(names_of_enum("", enum))
    for message in file.message_type:
        facts.update(facts_of_message("", message))
    return facts


def compile_proto(proto, protoc, descriptor_pb2):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "descriptors"
        subprocess.run(
            [protoc, f"-I{proto.parent}", f"--descriptor_set_out={out}", proto.name], check=True
        )
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    return files.file[0]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        from google.protobuf import descriptor_pb2
        from tritonclient.grpc import model_config_pb2
    except ImportError as missing:
        print(f"skipped: {missing} (needs the PyPI package): pip install 'tritonclient[grpc]'")
        return SKIPPED
    protoc = sys.argv[2] if len(sys.argv) > 2 else "protoc"
    ours = facts_of_file(compile_proto(Path(sys.argv[1]).resolve(), protoc, descriptor_pb2))
    triton = descriptor_pb2.FileDescriptorProto()
    model_config_pb2.DESCRIPTOR.CopyToProto(triton)
    theirs = facts_of_file(triton)
    wrong = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
    for key in wrong:
        print(f"{'.'.join(key)}: ours {ours.get(key)}, Triton's {theirs.get(key)}")
    print(f"{len(theirs)} names compared, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
