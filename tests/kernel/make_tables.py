"""Writes tables.json: sha256 of the bits that numpy and ml_dtypes give, for inputs that the test makes again."""
import hashlib, json, os
import numpy as np, ml_dtypes as ml

FORMATS = {"float16": np.float16, "bfloat16": ml.bfloat16, "float8_e4m3fn": ml.float8_e4m3fn, "float8_e5m2": ml.float8_e5m2}
sha = lambda a: hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()


def words(n):
    """xorshift32 from 1: the test has the same."""
    out, x = np.empty(n, np.uint32), 1
    for i in range(n):
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        out[i] = x
    return out


np.seterr(all="ignore")
random = words(100000)
# every pattern of the upper half, the lower half in the middle, just above, just below, and at random
upper = np.repeat(np.arange(65536, dtype=np.uint32) << 16, 4)
edges = upper | np.tile(np.array([0, 0x7FFF, 0x8000, 0x8001], np.uint32), 65536)
# all ties of float16: a half pattern and the bit after its last
halves = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32).view(np.uint32)
ties = np.concatenate([halves | 0x1000, halves | 0x1001, halves | 0x0FFF])
floats = np.concatenate([edges, ties, random]).view(np.float32)
doubles = np.concatenate([edges.view(np.float32).astype(np.float64)[~np.isnan(edges.view(np.float32))], random[:99998].view(np.float64)])
small = np.concatenate([halves.view(np.float32)[~np.isnan(halves.view(np.float32))]]).astype(np.float64)
doubles = np.concatenate([doubles, small * (1 + 2.0**-11), small * (1 + 2.0**-11 + 2.0**-45), small * (1 + 2.0**-11 - 2.0**-45)])
longs = random.view(np.int64)
longs = np.concatenate([longs, longs >> 10, longs >> 34, (longs | 0x3FFFFF0000000000) & ~np.int64(0xFFFFFFFF)])

tables = {"widen": {}, "narrow": {}, "double": {}, "long": {}}
for name, kind in FORMATS.items():
    bits = np.arange(256, dtype=np.uint8) if name.startswith("float8") else np.arange(65536, dtype=np.uint16)
    tables["widen"][name] = sha(bits.view(kind).astype(np.float32))
    tables["narrow"][name] = sha(floats.astype(kind))
    tables["double"][name] = sha(doubles[~np.isnan(doubles)].astype(kind))
tables["double"]["float32"] = sha(doubles[~np.isnan(doubles)].astype(np.float32))
for name in ("float32", "float64", "float16", "int32", "uint64", "int8"):
    tables["long"][name] = sha(longs.astype(name))
for name in ("float32", "float64"):
    tables["long"]["uint64 to " + name] = sha(longs.view(np.uint64).astype(name))
tables["inputs"] = {"floats": sha(floats), "doubles": sha(doubles), "longs": sha(longs)}
tables["fortran"] = {
    str(k): sha(np.frombuffer(random[: 7 * 33 * 5 * 2].tobytes(), np.dtype(f"V{k}"))[: 7 * 33 * 5].reshape(7, 33, 5, order="F"))
    for k in (1, 2, 4, 8)
}
with open(os.path.join(os.path.dirname(__file__), "tables.json"), "w") as out:
    json.dump(tables, out, indent=2)
    out.write("\n")
