"""Makes the files of the benchmark, in the form that paddle.save gives a state dict: {key: ndarray, ..., name table}.

    python3 make_data.py FOLDER DIVISOR

Sizes are divided by DIVISOR. A file that is there already with the same size of numbers is kept.
"""
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
