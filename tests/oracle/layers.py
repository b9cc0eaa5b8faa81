"""Random layers of paddle.nn: what they hold when they are new, and state dicts in both directions.

    layers.py FOLDER make SEED     makes layers, says what they hold, saves their state dicts
    layers.py FOLDER load SEED     makes the same again, sets the files that lie there, says what set_state_dict answers
"""
import os, random, warnings
import numpy as np
import paddle
from say import VERSION, finish_rows, kind_of

warnings.simplefilter("ignore")
COUNT = 240
FAMILIES = {
    "matrix": ["Linear", "Bilinear", "Embedding", "HSigmoidLoss", "PReLU", "SpectralNorm"] + (["AdaptiveLogSoftmaxWithLoss"] if VERSION >= (3, 0) else []),
    "conv": ["Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"],
    "norm": ["BatchNorm1D", "BatchNorm2D", "BatchNorm3D", "SyncBatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm1D", "InstanceNorm2D", "InstanceNorm3D", "BatchNorm"],
    "recurrent": ["SimpleRNNCell", "LSTMCell", "GRUCell", "SimpleRNN", "LSTM", "GRU"],
    "wrapped": ["RNN", "BiRNN", "TransformerEncoder", "TransformerDecoder", "Sequential", "LayerList"] + (["LayerDict"] if VERSION >= (2, 1) else []),
    "attention": ["MultiHeadAttention", "TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer"],
}
# The older norms read the learning rate of whatever they are given.
PLAIN, ALL = [None, None, False, "@attr"], [None, None, None, False, True, "@name", "@constant", "@uniform", "@attr"]


def layer(r, kind):
    return {"layer": [kind] + list(arguments(r, kind))}


def wrapped(r, kind):
    """Layers made of layers."""
    if "RNN" in kind:
        cell, size, hidden = r.choice(["SimpleRNNCell", "LSTMCell", "GRUCell"]), r.randint(1, 4), r.randint(1, 4)
        cells = [{"layer": [cell, [size, hidden], {}]} for _ in range(2 if kind == "BiRNN" else 1)]
        return cells, {"time_major": r.random() < 0.5}
    if kind.startswith("Transformer"):
        inner = layer(r, kind + "Layer")
        norm = {"layer": ["LayerNorm", [inner["layer"][1][0]], {}]}
        return [inner, r.randint(1, 3)] + r.choice([[], [norm]]), {}
    kinds = FAMILIES["matrix"] + FAMILIES["conv"] + FAMILIES["norm"] + ["LSTM", "Sequential", "ReLU"]
    below = []
    for i in range(r.randint(0, 3)):
        inner = r.choice(kinds)
        inner = {"layer": ["ReLU", [], {}]} if inner == "ReLU" else layer(r, inner)
        below.append(["part%d" % (9 - i), inner] if kind == "LayerDict" else inner)
    return (below if kind == "Sequential" else [below]), {}


def options(r, kind):
    """What changes no shape, and yet may change what is held."""
    o, maybe = {}, lambda name, value: o.__setitem__(name, value) if r.random() < 0.25 else None
    if kind.startswith("Conv"):
        axes = int(kind[4])
        maybe("stride", r.choice([2, [2] * axes]))
        maybe("dilation", 2)
        maybe("data_format", [["NCL", "NLC"], ["NCHW", "NHWC"], ["NCDHW", "NDHWC"]][axes - 1][r.random() < 0.5])
        if kind.endswith("Transpose"):
            maybe("padding", r.choice([1, "SAME", "VALID"]))
            maybe("output_padding", 1)
        else:
            maybe("padding", r.choice([1, [1] * axes, "SAME"]))
            if VERSION >= (3, 3):
                maybe("bias", r.random() < 0.5)
                maybe("dtype", "float64")
            if not isinstance(o.get("padding", 0), (list, str)):
                maybe("padding_mode", r.choice(["zeros", "reflect", "replicate", "circular"] if axes < 3 else ["zeros"]))
    elif "Norm" in kind and kind != "SpectralNorm":
        if kind not in ("LayerNorm", "GroupNorm"):
            maybe("momentum", 0.5)
        maybe("epsilon", 1e-3)
        if VERSION >= (3, 3) and kind in ("LayerNorm", "GroupNorm"):
            maybe("elementwise_affine" if kind == "LayerNorm" else "affine", r.random() < 0.5)
            maybe("dtype", "float64")
            if kind == "LayerNorm":
                maybe("bias", r.random() < 0.5)
        if kind[-2:] in ("1D", "2D", "3D") and kind.startswith("Batch") and VERSION >= (2, 0):
            maybe("use_global_stats", r.random() < 0.5)
    elif kind == "SpectralNorm":
        maybe("power_iters", 2)
        maybe("dtype", r.choice(["float32", "float64"]))
    elif kind == "Embedding":
        maybe("sparse", True)
        if VERSION >= (3, 0):
            maybe("max_norm", 2.0)
            maybe("norm_type", 1.0)
            maybe("scale_grad_by_freq", True)
        if VERSION >= (3, 3):
            maybe("_freeze", r.random() < 0.7)
            maybe("dtype", "float64")
    elif kind in ("SimpleRNN", "LSTM", "GRU"):
        maybe("time_major", True)
        maybe("dropout", 0.3)
    elif kind == "MultiHeadAttention":
        maybe("kdim", r.randint(1, 5))
        maybe("vdim", r.randint(1, 5))
        maybe("need_weights", True)
    elif kind.startswith("Transformer"):
        maybe("normalize_before", True)
        maybe("activation", "gelu")
        maybe("attn_dropout", 0.2)
    elif kind == "AdaptiveLogSoftmaxWithLoss":
        maybe("head_bias", True)
        maybe("div_value", 2.0)
    if kind.startswith("SimpleRNN"):
        maybe("activation", "relu")
    return o


def arguments(r, kind):
    if kind in FAMILIES["wrapped"]:
        return wrapped(r, kind)
    a, o = plain_arguments(r, kind)
    o.update(options(r, kind))
    return a, o


def plain_arguments(r, kind):
    """Positions and keywords; texts that begin with @ are attributes."""
    n = lambda most=5: r.randint(1, most)
    choices = ALL if VERSION >= (2, 6) or "Norm" not in kind else PLAIN
    weight, bias = r.choice(choices), r.choice(choices)
    o = {}
    if kind == "Linear":
        a = [n(), n()]
    elif kind == "Bilinear":
        a = [n(), n(), n()]
    elif kind == "Embedding":
        a, bias, o = [n(9), n()], None, {"padding_idx": None}
        if weight is not False:
            o = {"padding_idx": r.choice([None, 0, -1, a[0] - 1])}
    elif kind == "HSigmoidLoss":
        a, o = [n(), n() + 1], {"is_custom": r.random() < 0.3}
    elif kind == "PReLU":
        a, bias = [n(), r.choice([0.25, 0.1])], None
    elif kind == "SpectralNorm":
        shape = [n() for _ in range(r.randint(2, 4))]
        a, weight, bias = [shape, r.randrange(len(shape))], None, None
    elif kind == "AdaptiveLogSoftmaxWithLoss":
        n_classes = r.randint(5, 12)
        a, weight, bias = [16 + n(), n_classes, sorted(r.sample(range(1, n_classes), r.randint(1, 3)))], None, None
    elif kind.startswith("Conv"):
        axes, groups = int(kind[4]), n(3)
        a, o = [groups * n(3), groups * n(3), r.choice([n(3), [n(3) for _ in range(axes)]])], {"groups": groups}
    elif kind == "LayerNorm":
        a = [r.choice([n(), [n(), n()]])]
    elif kind == "GroupNorm":
        groups = n(3)
        a = [groups, groups * n(3)]
    elif kind == "BatchNorm":
        a = [n()]
        if VERSION < (2, 6):
            weight = bias = None
    elif "Norm" in kind:
        a = [n()]
        if kind.startswith("Instance") and (weight is False or bias is False):
            weight = bias = False
    elif kind in FAMILIES["recurrent"]:
        a, weight, bias = [n(), n() + 1], None, None
        for name in ("weight_ih_attr", "weight_hh_attr", "bias_ih_attr", "bias_hh_attr"):
            if r.random() < 0.2:
                o[name] = r.choice([False, "@constant"])
        if kind.startswith("LSTM") and VERSION >= (3, 0) and r.random() < 0.3:
            o["proj_size"] = r.randint(1, a[1] - 1)
        if not kind.endswith("Cell"):
            o.update(num_layers=n(3), direction=r.choice(["forward", "bidirect", "bidirectional"]))
    else:
        heads = n(3)
        a = [heads * n(3), heads] + ([n(2), n(2)] if kind == "Transformer" else []) + ([] if kind.startswith("Multi") else [n()])
        # One name cannot be given to many parameters.
        weight, bias = (None if x in ("@name", "@attr") else x for x in (weight, bias))
    for name, attr in (("param_attr" if kind == "BatchNorm" else "weight_attr", weight), ("bias_attr", bias)):
        if attr is not None and not (name == "weight_attr" and attr is False and kind.startswith("Conv")):
            o[name] = attr
    return a, o


def attribute(v, i):
    if v == "@name":
        return "name%d" % i
    if v == "@constant":
        return paddle.nn.initializer.Constant(0.25)
    if v == "@uniform":
        return paddle.nn.initializer.Uniform(-0.125, 0.5)
    if v == "@attr":
        start = paddle.nn.initializer.KaimingUniform()
        return paddle.ParamAttr(name="attr%d" % i, initializer=start, learning_rate=0.5, trainable=False, need_clip=False)
    return v


def positional(v):
    if isinstance(v, dict):
        kind, a, o = v["layer"]
        return make(kind, a, o)
    return [positional(x) for x in v] if isinstance(v, list) else v


def make(kind, a, o):
    return getattr(paddle.nn, kind)(*positional(a), **{k: attribute(v, i) for i, (k, v) in enumerate(o.items())})


def build(kind, a, o, dtype, seed):
    paddle.set_default_dtype(dtype)
    try:
        with paddle.utils.unique_name.guard():
            paddle.seed(seed)
            return make(kind, a, o)
    finally:
        paddle.set_default_dtype("float32")


def entry(key, p):
    flags = [bool(p.trainable), bool(p.persistable), p.optimize_attr["learning_rate"], bool(p.need_clip)]
    values = [float(x) for x in np.asarray(p.numpy()).reshape(-1)]
    return [key, p.name, [int(x) for x in p.shape], kind_of(p.dtype), flags, values]


def rows(seed):
    r = random.Random(seed)
    for i in range(COUNT):
        # Every class comes at least once.
        everything = sum((FAMILIES[name] for name in sorted(FAMILIES)), [])
        kind = everything[i] if i < len(everything) else r.choice(FAMILIES[r.choice(sorted(FAMILIES))])
        a, o = arguments(r, kind)
        yield i, {"class": kind, "args": a, "options": o, "dtype": r.choice(["float32", "float32", "float64"]), "seed": r.getrandbits(31)}


def main(folder, what, seed):
    said = []
    for i, row in rows(int(seed)):
        path = os.path.join(folder, "layer-%d.pdparams" % i)
        try:
            layer = build(row["class"], row["args"], row["options"], row["dtype"], row["seed"] + (what == "load"))
            if what == "make":
                row["state"] = [entry(k, p) for k, p in layer.state_dict().items()]
                row["parameters"] = [k for k, _ in layer.named_parameters()]
                row["buffers"] = [k for k, _ in layer.named_buffers()]
                row["sublayers"] = [[k, s.full_name()] for k, s in layer.named_sublayers()]
                if row["state"]:
                    paddle.save(layer.state_dict(), path)
            elif os.path.exists(path):
                state = paddle.load(path)
                row["answer"] = layer.set_state_dict(state)
                row["same"] = all(np.array_equal(np.asarray(state[k]), p.numpy()) for k, p in layer.state_dict().items())
                row["state"] = [[k, getattr(v, "name", None)] for k, v in state.items()]
        except Exception as e:
            row["error"] = "%s: %s" % (type(e).__name__, str(e)[:200])
        said.append(row)
    return said


finish_rows((2, 0), main)
