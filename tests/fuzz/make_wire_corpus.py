#!/usr/bin/env python3
"""Writes the seeds of tests/fuzz/corpus/{header,body,packet}: the golden files as raw bytes, and hostile
inputs of known kinds (msgpack bombs, bad keys, bad names, bad ids, other versions, bad tensors).
Run from the root of the repository after the golden files have changed; the output is committed.
"""
import pathlib
import re

CORPUS = pathlib.Path("tests/fuzz/corpus")
GOLDEN = pathlib.Path("tests/unit/wire/golden")
KEY = "c411" + "000102030405060708090a0b0c0d0e0f" + "01"
HEAD = "93a2454601"
CALL = HEAD + "920982" + "00" + KEY + "01"


def text(value: bytes) -> str:
    return "da%04x" % len(value) + value.hex()


HOSTILE_HEADERS = {
    "empty": "",
    "byte_c1": "c1",
    "http": b"GET / HTTP/1.1\r\n\r\n".hex(),
    "tls_hello": "160301020001000001fc0303",
    "truncated": HEAD + "9209",
    "trailing": HEAD + "92088000",
    "two_documents": HEAD + "920880" + HEAD + "920880",
    "no_items": "92a2454601",
    "no_array": "81a2454601",
    "items_257": "dc0103a2454601" + "920880" * 257,
    "array32_max": "ddffffffff",
    "map32_max": "dfffffffff",
    "str32_max": "dbffffffff",
    "bin32_max": "c6ffffffff",
    "ext32_max": "c9ffffffff",
    "array16_chain": "dcffff" * 1000,
    "array16_chain_at_limit": "dc1000" * 8,
    "array16_siblings": "98" + ("dc1000" + "c0" * 4096) * 8,
    "depth": "91" * 60000,
    "depth_9": "91" * 9 + "c0",
    "map_depth": "8100" * 9 + "c0",
    "size_nan": HEAD + "92138100cb7ff8000000000000",
    "size_infinite": HEAD + "92138100ca7f800000",
    "size_negative": HEAD + "92138100ff",
    "size_most_negative": HEAD + "92138100d38000000000000000",
    "extension": HEAD + "92138100d40100",
    "keys_twice": HEAD + "92138200070007",
    "keys_twice_in_two_forms": HEAD + "9213820007cc0007",
    "optional_key": HEAD + "921382ff93c0810102c30007",
    "optional_key_twice": HEAD + "921382ff07ff07",
    "unknown_key": HEAD + "9213820007" + "01c0",
    "key_31": HEAD + "9213811f00",
    "key_32": HEAD + "9213812000",
    "key_huge": HEAD + "921381cfffffffffffffffff00",
    "key_minus_33": HEAD + "921381d0df00",
    "key_most_negative": HEAD + "921381d3800000000000000000",
    "key_text": HEAD + "921381a13007",
    "key_array": HEAD + "9213819007",
    "wrong_types": HEAD + "92098400a13001010280" + "03c0",
    "name_not_utf8": CALL + text(b"g\xffn"),
    "name_newline": CALL + text(b"a\nb"),
    "name_nul": CALL + text(b"a\0b"),
    "name_parent": CALL + text(b"../"),
    "name_mmi": CALL + text(b"mmi."),
    "name_129": CALL + text(b"a" * 129),
    "name_4097": CALL + text(b"a" * 4097),
    "name_empty": CALL + "a0",
    "name_escape": HEAD + "92158100a51b5b33316d",
    "detail_not_utf8": HEAD + "92048100a2c328",
    "version_2": "93a2454602920880",
    "version_huge": "93a24546cfffffffffffffffff920880",
    "version_text": "93a24546a131920880",
    "other_magic": "93a2454701920880",
    "verb_22": HEAD + "921680",
    "verb_negative": HEAD + "92ff80",
    "verb_huge": HEAD + "92cfffffffffffffffff80",
    "item_of_3": HEAD + "93088080",
    "item_nil": HEAD + "c0",
    "id_zero": HEAD + "920e8100c410" + "00" * 16,
    "id_short": HEAD + "920e8100c4020102",
    "id_long": HEAD + "920e8100c412" + "11" * 18,
    "attempt_0": HEAD + "920b8100" + KEY[:-2] + "00",
    "attempt_255": HEAD + "920b8100" + KEY[:-2] + "ff",
    "call_deadline_too_long": HEAD + "92098300" + KEY + "01a3676e6e" + "02ceffffffff",
    "call_body_and_frames": HEAD + "92098500" + KEY + "01a3676e6e" + "07cd1388" + "0964" + "0a02",
    "call_bytes_lie": HEAD + "92098400" + KEY + "01a3676e6e" + "0701" + "0a01",
    "call_chunked_with_frames": HEAD + "92098400" + KEY + "01a3676e6e" + "05c3" + "0a01",
    "call_frames_65535": HEAD + "92098300" + KEY + "01a3676e6e" + "0acdffff",
    "chunk_length_0": HEAD + "920c8200" + KEY + "0300",
    "chunk_offset_overflow": HEAD + "920c8300" + KEY + "02cfffffffffffffffff" + "0301",
    "chunk_tensor_65535": HEAD + "920c8300" + KEY + "01cdffff" + "0301",
    "send_overflow": HEAD + "920b8200" + KEY + "01cfffffffffffffffff",
    "credit_negative": HEAD + "92078101ff",
    "credit_overflow": HEAD + "9207820001" + "02dd00000401" + "80" * 1025,
    "services_65": HEAD + "92058100dc0041" + "80" * 65,
    "rank_17": HEAD + "920581009183000101a16705918200a17803dc0011" + "00" * 17,
    "hello_ranges": HEAD + "920082" + "0005" + "03c410" + "11" * 16,
    "hello_open_4096": HEAD + "920081" + "07dc1000" + "c0" * 4096,
}

FLOAT_X = "810091" + "96a178" + "022001"
BYTE_X = "810091" + "96a178" + "010801"
TWO_32 = "cf0000000100000000"
HOSTILE_BODIES = {
    "empty": "",
    "nil": "c0",
    "no_tensors": "80",
    "tensor_nil": "810091c0",
    "tensor_of_5": "81009195a178010801" + "90",
    "product_overflow": BYTE_X + "92" + TWO_32 + TWO_32 + "c0",
    "product_behind_zero": BYTE_X + "9300" + TWO_32 + TWO_32 + "c400",
    "dimension_negative": FLOAT_X + "91ffc400",
    "dimension_most_negative": FLOAT_X + "91d38000000000000000c400",
    "dimension_max": FLOAT_X + "91cfffffffffffffffffc0",
    "dimension_zero": FLOAT_X + "9100c400",
    "rank_0": FLOAT_X + "90c40400000000",
    "rank_17": BYTE_X + "dc0011" + "01" * 17 + "c40100",
    "rank_1000": BYTE_X + "dc03e8" + "01" * 1000 + "c40100",
    "bits_0": "81009196a178020001" + "90c400",
    "lanes_4": "81009196a178022004" + "90c400",
    "lanes_0": "81009196a178022000" + "90c400",
    "code_unknown": "81009196a178632001" + "90c400",
    "code_256": "81009196a178cd01002001" + "90c400",
    "bytes_too_few": BYTE_X + "9103c4020000",
    "bytes_too_many": BYTE_X + "9103c40400000000",
    "small_not_inlined": BYTE_X + "9103c0",
    "large_inlined": BYTE_X + "91cd0401" + "c50401" + "00" * 1025,
    "large": BYTE_X + "91cd0401c0",
    "largest": BYTE_X + "91cf0000000100000000c0",
    "bytes_as_text": BYTE_X + "9103a3000000",
    "name_twice": "810092" + "96a17801080190c40100" * 2,
    "name_empty": "81009196a001080190c40100",
    "name_not_utf8": "81009196a1ff01080190c40100",
    "tensors_65": "8100dc0041" + "c0" * 65,
    "tensors_10000": "8100dc2710" + "c0" * 10000,
    "together_too_large": "810092" + "".join(
        "96a1%02x010801" % name + "91cec0000000c0" for name in (0x61, 0x62)),
}

PACKET = "454601"
FRAME = PACKET + "00" + "0100" + "0000"


def numbers(*values: int) -> str:
    return b"".join(value.to_bytes(8, "little") for value in values).hex()


PACKETS = {
    "returns_only": PACKET + "00" + "0000" + "0100" + numbers(9),
    "empty_message": PACKET + "00" + "00000000",
    "region": PACKET + "01" + "02000000" + numbers(64 << 20),
    "region_gone": PACKET + "02" + "02000000",
    "hostile_empty": "",
    "hostile_http": b"GET / HTTP/1.1\r\n".hex(),
    "hostile_version_2": "454602" + "00" + "00000000",
    "hostile_kind_3": PACKET + "03",
    "hostile_trailing": PACKET + "02" + "02000000" + "78",
    "hostile_counts_max": PACKET + "00" + "ffffffff",
    "hostile_region_0": PACKET + "01" + "00000000" + numbers(1),
    "hostile_region_size_max": PACKET + "01" + "01000000" + numbers(2**64 - 1),
    "hostile_place_3": FRAME + "03000000" + "01000000" + numbers(1, 0, 2),
    "hostile_offset_max": FRAME + "01000000" + "01000000" + numbers(1, 2**64 - 1, 2),
    "hostile_inlined_too_few": FRAME + "00" * 24 + numbers(2**32) + "78",
}


def write(folder: str, name: str, data: bytes) -> None:
    path = CORPUS / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def main() -> None:
    for path in sorted(GOLDEN.glob("*.hex")):
        digits = re.sub(r"#.*|\s", "", path.read_text())
        kind = path.stem.split("_")[0]
        folder = kind if kind in ("body", "packet") else "header"
        write(folder, "golden_" + path.stem, bytes.fromhex(digits))
    for name, digits in HOSTILE_HEADERS.items():
        write("header", "hostile_" + name, bytes.fromhex(digits))
    for name, digits in HOSTILE_BODIES.items():
        write("body", "hostile_" + name, bytes.fromhex(digits))
    for name, digits in PACKETS.items():
        write("packet", name, bytes.fromhex(digits))


if __name__ == "__main__":
    main()
