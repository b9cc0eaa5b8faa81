"""Makes the files of the benchmark, in the form that paddle.save gives a state dict: {key: ndarray, ..., name table}.

    python3 make_data.py FOLDER DIVISOR

Sizes are divided by DIVISOR. A file that is there already with the same size of numbers is kept.
"""
import json
import os
import pickle
import sys

import numpy

folder, divisor = sys.argv[1], int(sys.argv[2])
MiB = 2**20
block = numpy.random.default_rng(7).standard_normal(4 * MiB, dtype=numpy.float32)


def tensor(nbytes, k):
    """Normal numbers, other ones for every k."""
    count = nbytes // 4
    start = k * 4099 % block.size
    repeats = -(-(start + count) // block.size)
    return numpy.tile(block, repeats)[start : start + count].copy()


def state_dict(count, nbytes, shape):
    state, names = {}, {}
    for k in range(count):
        key = f"encoder.layers.{k // 4}.linear{k % 4}.weight"
        state[key] = tensor(nbytes, k).reshape(shape)
        names[key] = f"linear_{k}.w_0"
    state["StructuredToParameterName@@"] = names
    return state


def make(name, protocol, count, nbytes, shape):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        with open(path + ".part", "wb") as file:
            pickle.dump(state_dict(count, nbytes, shape), file, protocol=protocol)
        os.rename(path + ".part", path)


os.makedirs(folder, exist_ok=True)
large = 1024 * MiB // divisor // 200 // 4096 * 4096
make("large4.pdparams", 4, 200, large, (-1, 256))
make("large2.pdparams", 2, 50, 256 * MiB // divisor // 50 // 4096 * 4096, (-1, 256))
make("small.pdparams", 4, 20_000 // divisor, 256, (8, 8))


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, data):
    """A length-delimited field, or a varint."""
    if isinstance(data, int):
        return varint(number << 3) + varint(data % 2**64)
    return varint(number << 3 | 2) + varint(len(data)) + data


def variable(name, shape):
    desc = field(1, 5) + b"".join(field(2, n) for n in shape)
    return field(1, name) + field(2, field(1, 7) + field(3, field(1, desc))) + field(3, 1)


def operator(k):
    """As large as real ones, most of it the call stack of the script that built the program."""
    stack = b"".join(field(8, b"  File \"/build/networks/layers.py\", line %d, in forward" % (k + n)) for n in range(6))
    attrs = field(4, field(1, b"axis") + field(2, 0) + field(3, -1)) + field(4, field(1, b"op_callstack") + field(2, 5) + stack)
    slot = lambda name, value: field(1, name) + field(2, value)
    return field(1, slot(b"X", b"tmp_%d" % k)) + field(1, slot(b"Y", b"linear_0.w_0")) + field(2, slot(b"Out", b"tmp_%d" % (k + 1))) + field(3, b"elementwise_add") + attrs


def program(variables, operators):
    block = field(1, 0) + field(2, -1) + b"".join(field(3, v) for v in variables) + b"".join(field(4, o) for o in operators)
    return field(1, block) + field(4, field(1, 2006002))


def write(name, chunks):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        with open(path + ".part", "wb") as file:
            for chunk in chunks:
                file.write(chunk)
        os.rename(path + ".part", path)


# A model: the records follow the names, sorted.
rows = large // 1024
names = sorted(b"linear_%d.w_0" % k for k in range(200))
desc = field(1, 5) + field(2, rows) + field(2, 256)
head = bytes(4) + bytes(8) + bytes(4) + len(desc).to_bytes(4, "little") + desc
write("model.pdmodel", [program([variable(name, [rows, 256]) for name in names], [])])
write("model.pdiparams", (part for k in range(200) for part in (head, tensor(large, k).tobytes())))
count = 50 * 10**6 // divisor // len(field(4, operator(10_000)))
write("program.pdmodel", [program([variable(b"linear_0.w_0", [4, 4])], [operator(k) for k in range(count)])])


def pir_operator(k):
    """A matmul as Paddle 3 writes it, with the flags of training."""
    attribute = lambda name, kind, data: {"AT": {"#": kind, "D": data}, "N": name}
    flags = [{"#": "0.a_bool", "D": k % 2 == 0}]
    return {
        "#": "1.matmul",
        "A": [attribute("transpose_x", "0.a_bool", False), attribute("transpose_y", "0.a_bool", k % 3 == 0)],
        "I": [{"%": 2 * k + 1}, {"%": 2 * k + 2}],
        "O": [{"%": 2 * k + 3, "TT": {"#": "0.t_dtensor", "D": [{"#": "0.t_f32"}, [-1, 16 + k % 64], "NCHW", [], 0]}}],
        "OA": [attribute(name, "0.a_array", flags) for name in ("persistable", "stop_gradient")],
        "QA": [],
    }


text = lambda value: json.dumps(value, separators=(",", ":")).encode()
count = 400_000 // len(text(pir_operator(500)))
write("program.json", [text({
    "base_code": {"magic": "pir", "trainable": True, "version": 4},
    "program": {"regions": [{"#": "region_0", "blocks": [{"#": "block_0", "args": [], "ops": [pir_operator(k) for k in range(count)]}]}]},
})])
