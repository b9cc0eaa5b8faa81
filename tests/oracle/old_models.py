"""Models of 1.8 in today's layout, loaded and run by a newer Paddle.

    old_models.py FOLDER NAME...    runs FOLDER/NAME.pdmodel with what FOLDER/NAME.npz feeds; says how far the outputs are from those there
"""
import os, sys
# 3.x reads programs of the legacy form only without PIR.
os.environ["FLAGS_enable_pir_api"] = "0"
import numpy as np
import paddle
from say import DENSE, core, finish

paddle.enable_static()
executor = paddle.static.Executor(paddle.CPUPlace())


def fed(kept, name):
    if "lengths/" + name not in kept.files:
        return kept["feed/" + name]
    held = DENSE()
    held.set(kept["feed/" + name], core.CPUPlace())
    held.set_recursive_sequence_lengths([kept["lengths/" + name].tolist()])
    return held


def distance(folder, name):
    kept = np.load(os.path.join(folder, name + ".npz"))
    with paddle.static.scope_guard(core.Scope()):
        program, feeds, fetches = paddle.static.load_inference_model(os.path.join(folder, name), executor)
        outs = executor.run(program, feed={f: fed(kept, f) for f in feeds}, fetch_list=fetches, return_numpy=False)
    return max(float(np.abs(np.array(o).astype("float64") - kept["out/%d" % i]).max()) for i, o in enumerate(outs))


said = {}
for name in sys.argv[2:]:
    try:
        said[name] = {"distance": distance(sys.argv[1], name)}
    except Exception as e:
        said[name] = {"error": "%s: %s" % (type(e).__name__, str(e).strip().split("\n")[-1][:200])}
finish(sys.argv[1], said)
