"""paddle.save and paddle.load of pickles: state dicts, optimizer states, objects, single tensors.

    pickles.py FOLDER save SEED     saves random values, says what Paddle loads back
    pickles.py FOLDER load          says what Paddle loads from each file
"""
import collections, os, random, sys
import numpy as np
import paddle
from say import VERSION, answer, finish, random_array

OLD = VERSION < (2, 0)
if OLD:
    import paddle.fluid as fluid
DTYPES = ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "bool", "complex64", "complex128"]


def load(path):
    if not OLD:
        return paddle.load(path)
    # 1.8 finds PREFIX.pdparams, and PREFIX.pdopt only beside one.
    prefix, end = os.path.splitext(path)
    if end != ".pdopt":
        return fluid.load_dygraph(prefix)[0]
    if not os.path.exists(prefix + ".pdparams"):
        fluid.save_dygraph(fluid.dygraph.Linear(1, 1).state_dict(), prefix)
    return fluid.load_dygraph(prefix)[1]


def tensor(r, dtype):
    a = random_array(r, dtype if VERSION >= (2, 2) or not dtype.startswith("complex") else "float32")
    return paddle.to_tensor(a)


def value(r, tensors, depth=0):
    """A nested value; with arrays in it, and Tensors where they are wanted."""
    kind = r.randint(0, 12 if depth < 4 else 7)
    if kind == 0:
        return r.choice([None, True, False])
    if kind == 1:
        return r.choice([0, 1, -1, 2 ** 31, -2 ** 31, 2 ** 53 + 1, 2 ** 63, -2 ** 70, r.randint(-10 ** 6, 10 ** 6)])
    if kind == 2:
        return r.choice([0.0, 1.0, -0.0, 1e300, float("inf"), float("nan"), r.random()])
    if kind == 3:
        return r.choice(["", "weight", "\u91cf", "a" * 300, "\U0001f600"])
    if kind == 4:
        return random_array(r, r.choice(DTYPES))
    if kind == 5:
        return np.float32(r.random()) if r.random() < 0.5 else np.int64(r.randint(-9, 9))
    if kind in (6, 7):
        return tensor(r, r.choice(DTYPES)) if tensors else random_array(r, r.choice(DTYPES))
    if kind in (8, 9):
        d = collections.OrderedDict() if r.random() < 0.2 else {}
        for i in range(r.randint(0, 5)):
            d[r.choice(["k%d" % i, i, "long key " * 9 + str(i)])] = value(r, tensors, depth + 1)
        return d
    items = [value(r, tensors, depth + 1) for _ in range(r.randint(0, 4))]
    # A pair (text, array) would be loaded as a Tensor.
    return tuple(items) if kind == 12 and len(items) != 2 else items


def layers(r):
    if OLD:
        d = fluid.dygraph
        return [d.Linear(r.randint(1, 6), r.randint(1, 6)), d.Embedding([r.randint(1, 9), r.randint(1, 5)]), d.BatchNorm(r.randint(1, 4)),
                d.Conv2D(r.randint(1, 3), r.randint(1, 3), r.randint(1, 3))]
    nn = paddle.nn
    return [nn.Linear(r.randint(1, 6), r.randint(1, 6)), nn.Embedding(r.randint(1, 9), r.randint(1, 5)), nn.BatchNorm1D(r.randint(1, 4)),
            nn.Conv2D(r.randint(1, 3), r.randint(1, 3), r.randint(1, 3)), nn.LayerNorm(r.randint(1, 5)),
            nn.GRU(r.randint(1, 3), r.randint(1, 3)), nn.MultiHeadAttention(4, 2),
            nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.LayerNorm(3), nn.Linear(3, 2)))]


def optimizer_states(r):
    """States of optimizers that took a step, by name."""
    if OLD:
        layer = fluid.dygraph.Linear(3, 2)
        rate = fluid.dygraph.NoamDecay(10, 10) if r.random() < 0.5 else r.random()
        optimizer = fluid.optimizer.Adam(rate, parameter_list=layer.parameters())
        loss = fluid.layers.reduce_mean(layer(fluid.dygraph.to_variable(np.ones((2, 3), "float32"))))
        loss.backward()
        optimizer.minimize(loss)
        return {"Adam": optimizer.state_dict()}
    states = {}
    for kind in ["Adam", "AdamW", "Momentum", "SGD", "Adagrad", "Lamb"]:
        layer = paddle.nn.Linear(r.randint(1, 4), r.randint(1, 4))
        rate = r.random() if r.random() < 0.4 else paddle.optimizer.lr.StepDecay(0.1, step_size=r.randint(1, 3))
        optimizer = getattr(paddle.optimizer, kind)(learning_rate=rate, parameters=layer.parameters())
        layer(paddle.ones([2, layer.weight.shape[0]])).mean().backward()
        optimizer.step()
        states[kind] = optimizer.state_dict()
    return states


def save(folder, seed):
    r = random.Random(seed)
    np.random.seed(seed)
    files, notes = {}, []

    def put(name, what, **options):
        path = os.path.join(folder, name)
        try:
            if OLD:
                fluid.save_dygraph(what, os.path.splitext(path)[0])
            else:
                paddle.save(what, path, **options)
        except Exception as e:
            notes.append("%s was not saved: %s: %s" % (name, type(e).__name__, str(e)[:120]))
            return
        files[name] = answer(lambda: load(path))

    protocols = [(2, {})] if OLD else [(p, {"pickle_protocol" if VERSION < (2, 1) else "protocol": p}) for p in (2, 3, 4)]
    for turn in range(3):
        for i, layer in enumerate(layers(r)):
            for p, options in protocols:
                put("layer-%d-%d-p%d.pdparams" % (turn, i, p), layer.state_dict(), **options)
        for kind, state in optimizer_states(r).items():
            for p, options in protocols:
                put("optimizer-%d-%s-p%d.pdopt" % (turn, kind, p), state, **options)
    if VERSION >= (2, 1):
        for i in range(40):
            put("object-%d.pdparams" % i, [value(r, True), tensor(r, "float32")], **r.choice(protocols)[1])
            put("arrays-%d.pdparams" % i, [value(r, False), random_array(r, "float32")], **r.choice(protocols)[1])
        for dtype in DTYPES:
            put("tensor-%s.pdtensor" % dtype, tensor(r, dtype), **r.choice(protocols)[1])
    if VERSION >= (2, 5):
        put("tensor-bfloat16.pdtensor", tensor(r, "float32").astype("bfloat16"))
    finish(folder, files, notes)


def main(folder, job, *rest):
    if job == "save":
        return save(folder, int(rest[0]))
    names = [name for name in sorted(os.listdir(folder)) if name != "said.json"]
    finish(folder, {name: answer(lambda: load(os.path.join(folder, name))) for name in names})


if OLD:
    with fluid.dygraph.guard():
        main(*sys.argv[1:])
else:
    main(*sys.argv[1:])
