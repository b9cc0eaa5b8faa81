"""Two steps with row-sparse gradients of three columns: clipped, in float64, with rows twice or in no order.

    make_rows_fixture.py FILE      adds this Paddle's answers to FILE, in place of what it answered before
"""
import json, os, sys, warnings
import numpy as np
import paddle

warnings.simplefilter("ignore")
VERSION = paddle.__version__
START = [[0.5, -1, 2], [1, 1.5, -0.5], [3, 0.25, -2], [-1, 0.75, 1]]
VALUES = [[0.3, 0.7, -0.4], [1.1, -0.9, 0.2], [0.6, 0.1, -1.3]]
ROWS = [[2, 0, 2], [3, 0, 2]]
# Newer Paddles refuse ClipGradByValue, older ones ClipGradByNorm and float64.
WAYS = [["float32", ["ClipGradByValue", {"max": 0.65, "min": -0.45}]]] if VERSION < "2.1" else [
    ["float64", None], ["float32", ["ClipGradByNorm", {"clip_norm": 0.7}]]]


def after(kind, rows, dtype, clip):
    paddle.set_default_dtype(dtype)
    layer = paddle.nn.Embedding(len(START), 3, sparse=True)
    paddle.set_default_dtype("float32")
    layer.weight.set_value(np.array(START, dtype))
    grad_clip = clip and getattr(paddle.nn, clip[0])(**clip[1])
    made = getattr(paddle.optimizer, kind)(learning_rate=0.37, parameters=[layer.weight], grad_clip=grad_clip)
    for _ in range(2):
        (layer(paddle.to_tensor(np.array(rows, "int64"))) * paddle.to_tensor(np.array(VALUES, dtype))).sum().backward()
        made.step()
        made.clear_grad()
    return layer.weight.numpy().ravel().tolist()


def norm_of_many(rows):
    """What is left of a gradient of 4096 and many ones, whose squares' sum depends on the order."""
    layer = paddle.nn.Embedding(1005, 1, sparse=True)
    layer.weight.set_value(np.zeros([1005, 1], "float32"))
    sgd = paddle.optimizer.SGD(learning_rate=1.0, parameters=[layer.weight], grad_clip=paddle.nn.ClipGradByGlobalNorm(1.0))
    values = np.array([[4096.0]] + [[1.0]] * 1004, "float32")
    (layer(paddle.to_tensor(np.array(rows, "int64"))) * paddle.to_tensor(values)).sum().backward()
    sgd.step()
    return layer.weight.numpy().ravel()[rows[0]].item()


[path] = sys.argv[1:]
data = json.load(open(path)) if os.path.exists(path) else {"start": START, "values": VALUES, "cases": [], "norms": []}
for part in ("cases", "norms"):
    data[part] = [c for c in data[part] if c["paddle"] != VERSION]
for kind in ["SGD", "Momentum", "Adagrad"] + ([] if VERSION.startswith("2.6") else ["RMSProp"]):
    for rows in ROWS:
        for dtype, clip in WAYS:
            try:
                found = after(kind, rows, dtype, clip)
            except Exception as error:
                print(VERSION, kind, dtype, clip, type(error).__name__)
                continue
            data["cases"].append({"paddle": VERSION, "class": kind, "rows": rows, "dtype": dtype, "clip": clip, "after": found})
# Older ones add up with other vectors.
for name, rows in [] if VERSION < "3" else [("ascending", list(range(1005))), ("descending", list(range(1004, -1, -1)))]:
    data["norms"].append({"paddle": VERSION, "rows": name, "first": norm_of_many(rows)})
text = ["{", f'"start": {json.dumps(START)},', f'"values": {json.dumps(VALUES)},']
for part in ("cases", "norms"):
    text += [f'"{part}": [', ",\n".join(json.dumps(c) for c in data[part]), "]" + ("," if part == "cases" else "")]
open(path, "w").write("\n".join(text + ["}", ""]))
