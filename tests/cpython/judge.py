"""CPython's pickle as the judge. Reads frames (8 bytes length, little-endian, and the bytes) from standard input.

    judge.py read            each frame is a pickle: a list of what they are, null where CPython refuses
    judge.py make SEED N     N random values: a line of JSON with what they are, then a frame for each value and protocol 0 to 5

Values in the form of the fixtures' expect.json. Nothing of a pickle is imported but plain data; numpy is needed.
"""
import collections, hashlib, io, json, pickle, random, resource, struct, sys, warnings
import numpy as np

warnings.simplefilter("ignore")
# A length that a changed bit made must end in an error.
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
PLAIN = {"builtins": ["tuple", "list", "set", "frozenset", "bytes", "bytearray", "dict", "complex", "slice", "range", "object"],
         "numpy": ["ndarray", "dtype"], "_codecs": ["encode"], "collections": ["OrderedDict", "defaultdict"]}
PLAIN["__builtin__"] = PLAIN["builtins"] + ["xrange"]
MULTIARRAY = np.zeros(1).__reduce__()[0]
SCALAR = np.float32(1).__reduce__()[0]


class Record:
    """Stands in for every class that plain data does not need."""

    def __setstate__(self, state):
        self.state = state


class Reader(pickle.Unpickler):
    def find_class(self, module, name):
        if name in PLAIN.get(module, ()):
            return super().find_class(module, name)
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name in ("_reconstruct", "scalar"):
            return MULTIARRAY if name == "_reconstruct" else SCALAR
        if module in ("builtins", "__builtin__") and name == "eval":
            return lambda text, names: names["data"]
        if module.startswith("paddle.distributed."):
            return type(name, (Record,), {})
        raise pickle.UnpicklingError("no plain data: %s.%s" % (module, name))


def number(x):
    x = float(x)
    if x != x:
        return "nan"
    if x in (float("inf"), -float("inf")):
        return "inf" if x > 0 else "-inf"
    return "-0.0" if x == 0 and str(x)[0] == "-" else x


def say(v):
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, np.ndarray):
        a = np.ascontiguousarray(v).reshape(v.shape)
        a = a.astype(a.dtype.newbyteorder("<"))
        if a.dtype.kind not in "biufc" or a.dtype.itemsize > 16 or a.dtype.kind == "f" and a.dtype.itemsize > 8:
            return {"ndarray": {"dtype": v.dtype.str, "shape": list(v.shape)}}
        return {"ndarray": {"dtype": a.dtype.name, "shape": list(a.shape), "sha256": hashlib.sha256(a.tobytes()).hexdigest()}}
    if isinstance(v, np.generic):
        return {"scalar": {"dtype": v.dtype.name}}
    if isinstance(v, int):
        return {"int": str(v)}
    if isinstance(v, float):
        return {"float": number(v)}
    if isinstance(v, complex):
        return {"complex": [number(v.real), number(v.imag)]}
    if isinstance(v, (bytes, bytearray)):
        return {type(v).__name__: v.hex()}
    if isinstance(v, dict):
        return {type(v).__name__: [[say(k), say(x)] for k, x in v.items()]}
    if isinstance(v, (list, tuple)):
        return {"tuple" if isinstance(v, tuple) else "list": [say(x) for x in v]}
    if isinstance(v, (set, frozenset)):
        return {type(v).__name__: [say(x) for x in v]}
    if isinstance(v, Record):
        return {"record": {"class": type(v).__name__, "fields": sorted([k, say(x)] for k, x in v.state.items())}}
    return {"object": type(v).__name__}


def frames(data):
    at = 0
    while at < len(data):
        n, = struct.unpack_from("<Q", data, at)
        yield data[at + 8:at + 8 + n]
        at += 8 + n


def read(text):
    try:
        return {"value": say(Reader(io.BytesIO(text), encoding="latin1").load())}
    except (Exception, RecursionError):
        return None


def value(r, depth=0):
    kind = r.randint(0, 17 if depth < 5 else 10)
    if kind == 0:
        return r.choice([None, True, False])
    if kind == 1:
        return r.choice([0, 1, 255, 256, 65535, 65536, -1, -128, 2 ** 31 - 1, 2 ** 31, -2 ** 31, -2 ** 31 - 1, 2 ** 53, 2 ** 63, -2 ** 63, r.getrandbits(r.randint(1, 3000))])
    if kind == 2:
        return r.choice([0.0, -0.0, 1.0, 1e300, 5e-324, float("inf"), float("-inf"), float("nan"), r.random(), r.uniform(-1e9, 1e9)])
    if kind in (3, 4):
        return r.choice(["", "a", "weight", "\xe9", "\u91cf", "\U0001f600", "\ud800", "line\nquote'\\", "a" * 255, "b" * 256, "key %d" % r.randint(0, 99)])
    if kind == 5:
        return bytes(r.getrandbits(8) for _ in range(r.choice([0, 1, 7, 300])))
    if kind == 6:
        return complex(r.random(), -0.0)
    if kind in (7, 8):
        kind = np.dtype(r.choice("? b h i q B H I Q e f d F D >f >i >q >D".split()))
        shape = [r.randint(0, 4) for _ in range(r.randint(0, 3))]
        a = np.frombuffer(bytes(r.getrandbits(8) for _ in range(int(np.prod(shape)) * kind.itemsize)), kind).reshape(shape)
        if kind.kind == "b":
            a = np.frombuffer(bytes(x & 1 for x in a.tobytes()), "?").reshape(shape)
        return np.asfortranarray(a) if r.random() < 0.3 else a
    if kind == 9:
        return r.choice([np.float32, np.int64, np.float16, np.uint8])(r.randint(0, 9))
    if kind == 10:
        return slice(r.randint(0, 3), None) if r.random() < 0.5 else range(0, r.randint(0, 9), 2)
    if kind == 11:
        return frozenset(r.sample(range(99), 3)) if r.random() < 0.5 else set(r.sample(range(99), r.randint(0, 9)))
    if kind in (12, 13, 14):
        d = collections.OrderedDict() if r.random() < 0.2 else {}
        for i in range(r.randint(0, 6)):
            d[r.choice(["k%d" % i, i + 2, (i, "pair"), -i - 0.5])] = value(r, depth + 1)
        return d
    if kind == 15 and depth < 3:
        shared = value(r, depth + 1)
        return [shared, shared, (shared,)]
    items = [value(r, depth + 1) for _ in range(r.randint(0, 5))]
    return tuple(items) if kind == 16 else items


out = sys.stdout.buffer
if sys.argv[1] == "read":
    out.write(json.dumps([read(text) for text in frames(sys.stdin.buffer.read())]).encode())
else:
    r = random.Random(int(sys.argv[2]))
    values = [value(r) for _ in range(int(sys.argv[3]))]
    out.write(json.dumps([say(v) for v in values]).encode() + b"\n")
    for v in values:
        for protocol in range(6):
            text = pickle.dumps(v, protocol)
            out.write(struct.pack("<Q", len(text)) + text)
