"""paddle.save(..., use_binary_format=True): one tensor, with LoD or without, or SelectedRows.

    records.py FOLDER save SEED     saves random ones, says what Paddle loads back in static mode
    records.py FOLDER load          says what Paddle loads from each file
"""
import os, random, sys
import numpy as np
import paddle
from say import DENSE, VERSION, answer, core, finish, random_array

DTYPES = ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "bool"]
if VERSION >= (2, 2):
    DTYPES += ["complex64", "complex128"]


def load(path):
    if path.endswith(".dygraph"):
        paddle.disable_static()
    else:
        paddle.enable_static()
    return paddle.load(path)


def dense(a, lod=None):
    t = DENSE()
    t.set(a, paddle.CPUPlace())
    if lod:
        t.set_lod(lod)
    return t


def save(folder, seed):
    r = random.Random(seed)
    files, notes = {}, []

    def put(name, what):
        path = os.path.join(folder, name)
        try:
            paddle.save(what, path, use_binary_format=True)
        except Exception as e:
            notes.append("%s was not saved: %s: %s" % (name, type(e).__name__, str(e)[:120]))
            return
        files[name] = answer(lambda: load(path))

    for dtype in DTYPES:
        a = random_array(r, dtype, 1)
        while a.size == 0:
            a = random_array(r, dtype, 1)
        paddle.enable_static()
        put("dense-%s.static" % dtype, dense(a))
        paddle.disable_static()
        put("tensor-%s.dygraph" % dtype, paddle.to_tensor(a))
    paddle.enable_static()
    for i in range(5):
        rows = r.randint(1, 6)
        cut = r.randint(0, rows)
        lod = r.choice([[[0, cut, rows]], [[0, 1, 2], [0, cut, rows]]])
        put("lod-%d.static" % i, dense(np.arange(2 * rows, dtype="float32").reshape(rows, 2), lod))
    for i in range(5):
        numbers = r.sample(range(20), r.randint(1, 6))
        s = core.SelectedRows(numbers, 20)
        s.get_tensor().set(np.arange(3 * len(numbers), dtype=r.choice(["float32", "float64"])).reshape(len(numbers), 3), paddle.CPUPlace())
        put("rows-%d.static" % i, s)
    if VERSION >= (2, 5):
        paddle.disable_static()
        put("tensor-bfloat16.dygraph", paddle.to_tensor(random_array(r, "float32")).astype("bfloat16"))
    finish(folder, files, notes)


def main(folder, job, *rest):
    if VERSION < (2, 1):
        return finish(folder, {})
    if job == "save":
        return save(folder, int(rest[0]))
    names = [name for name in sorted(os.listdir(folder)) if name != "said.json"]
    finish(folder, {name: answer(lambda: load(os.path.join(folder, name))) for name in names})


main(*sys.argv[1:])
