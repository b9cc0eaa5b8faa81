"""Layers whose fields are assigned, replaced, shared, deleted and registered in random orders: which parts they have after every step.

    fields.py FOLDER make SEED
"""
import random, warnings
import paddle
from say import VERSION, finish_rows

warnings.simplefilter("ignore")
COUNT, STEPS = 150, 14
NAMES = ["a", "b", "c", "0", "x.y", ""]
DOES = ["parameter"] * 4 + ["tensor"] * 3 + ["layer"] * 3 + ["none"] * 2 + ["delete"] * 2 + ["buffer"] * 3 + ["add_parameter"] * 2 + ["add_sublayer"] * 2 + ["shared", "below", "number"]


def cases(seed):
    r = random.Random("fields %s" % seed)
    for _ in range(COUNT):
        steps = []
        for _ in range(STEPS):
            what, name = r.choice(DOES), r.choice(NAMES[:3] * 5 + NAMES)
            steps.append([what, name, r.random() < 0.5, r.random() < 0.15, r.choice(NAMES[:3])])
        yield steps


def act(root, made, what, name, flag, is_none, other):
    layer = made[-1] if flag and len(made) > 1 else root
    parameter = lambda: paddle.create_parameter([1], "float32", default_initializer=paddle.nn.initializer.Constant(0.0))
    if what == "parameter":
        setattr(layer, name, parameter())
    elif what == "tensor":
        setattr(layer, name, paddle.zeros([2]))
    elif what == "layer":
        made.append(paddle.nn.Layer())
        setattr(layer, name, made[-1])
    elif what == "none":
        setattr(layer, name, None)
    elif what == "number":
        setattr(layer, name, 3)
    elif what == "delete":
        delattr(layer, name)
    elif what == "buffer":
        layer.register_buffer(name, None if is_none else paddle.zeros([3]), persistable=flag)
    elif what == "add_parameter":
        layer.add_parameter(name, None if is_none else parameter())
    elif what == "add_sublayer":
        made.append(paddle.nn.Layer())
        layer.add_sublayer(name, None if is_none else made[-1])
    elif what == "shared":
        setattr(root, other, getattr(layer, name))
    elif what == "below" and len(made) > 2:
        made[-2].add_sublayer(name, made[-1])


def parts(root):
    return [[k for k in root.state_dict()], [k for k in root.to_static_state_dict()], [k for k, _ in root.named_parameters()],
            [k for k, _ in root.named_buffers()], [k for k, _ in root.named_sublayers()], [k for k, _ in root.named_children()]]


def main(folder, mode, seed):
    rows = []
    for steps in cases(int(seed)):
        root = paddle.nn.Layer()
        made, after = [root], []
        for step in steps:
            try:
                act(root, made, *step)
                failed = False
            except Exception as e:
                failed = "%s: %s" % (type(e).__name__, str(e)[:100])
            try:
                after.append([failed, parts(root)])
            except RecursionError:
                after.append([failed, None])
                break
        rows.append({"steps": steps[:len(after)], "after": after})
    return rows


finish_rows((2, 1), main)
