"""Random walks over layers: parts are assigned, added, replaced and removed, containers grow and shrink, state dicts are set.

    layer_walks.py FOLDER SEED
"""
import random, warnings
import numpy as np
import paddle
from say import finish_rows

warnings.simplefilter("ignore")
COUNT = 60
CALLS = 40
KINDS = ["Net", "Net", "Linear", "BatchNorm1D", "LayerNorm", "ReLU", "Sequential", "LayerList", "LayerDict", "ParameterList"]
# Parts of one kind have names of their own: where a name is taken by another kind, Paddle's containers lose track of it.
NAMES = {"layer": ["a", "b", "x.y", "0"], "parameter": ["weight", "bias", "p"], "tensor": ["t", "weight", "u"]}


def constant(x):
    return paddle.nn.initializer.Constant(x)


def layer(kind):
    if kind == "Net":
        return type("Net", (paddle.nn.Layer,), {})()
    if kind == "Linear":
        return paddle.nn.Linear(2, 3, weight_attr=constant(0.5), bias_attr=constant(0.25))
    return getattr(paddle.nn, kind)(*([2] if kind in ("BatchNorm1D", "LayerNorm") else []))


def calls(r, kinds):
    for t in range(CALLS):
        at = r.choice([0, 0, 0, 1, 2, 3, 4, 5])
        kind = kinds[at]
        # Only layers with a higher number: none contains itself.
        part = {"layer": lambda: ["layer", r.randrange(at + 1, len(kinds))], "parameter": lambda: ["parameter", t], "tensor": lambda: ["tensor", t]}
        what = r.choice(sorted(part))
        name, lower, i = r.choice(NAMES[what]), part["layer"], r.randint(-4, 4)
        options = [["setattr", name, part[what]()], ["setattr", name, None], ["delattr", name], ["train"], ["eval"], ["set", r.random() < 0.6, r.choice(["whole", "lacks", "more", "shape"])]]
        if kind not in ("LayerList", "Sequential"):
            options += [["add_sublayer", r.choice(NAMES["layer"]), lower()], ["add_parameter", r.choice(NAMES["parameter"] + ["x.y", ""]), part["parameter"]()],
                        ["register_buffer", r.choice(NAMES["tensor"] + ["x.y", ""]), part["tensor"](), r.random() < 0.6]]
        if kind == "LayerList":
            options = [["get", i], ["setitem", i, lower()], ["delitem", i], ["insert", i, lower()], ["append", lower()], ["extend", [lower(), lower()]], ["append", lower()]]
        elif kind == "Sequential":
            options = [["get", i], ["setitem", r.choice(["0", "1", "a"]), lower()], ["delitem", r.choice(["0", "1", "a"])], ["append", lower()], ["insert", i, lower()], ["extend", [lower(), lower()]]]
        elif kind == "LayerDict":
            options += [["setitem", r.choice(NAMES["layer"]), lower()], ["pop", r.choice(NAMES["layer"])], ["clear"], ["update", [["b", lower()], ["0", lower()]]]]
        elif kind == "ParameterList":
            options = [["get", r.randint(0, 4)], ["append", part["parameter"]()], ["append", part["parameter"]()]]
        yield [at] + r.choice(options)


def value(what, layers):
    if what is None:
        return None
    kind, n = what
    if kind == "layer":
        return layers[n]
    if kind == "parameter":
        return paddle.create_parameter([2], "float32", default_initializer=constant(float(n)))
    tensor = paddle.to_tensor(np.full([2], n + 1000, "float32"))
    tensor.name = "t%d" % n
    return tensor


def set_state(net, structured, how):
    state = {k if structured else v.name: v.numpy() + 1 for k, v in net.state_dict().items()}
    first = next(iter(state), None)
    if first is not None and how == "lacks":
        del state[first]
    elif first is not None and how == "shape":
        state[first] = np.zeros([5, 1], "float32")
    elif how == "more":
        state["more"] = np.zeros([1], "float32")
    return [list(keys) for keys in net.set_state_dict(state, use_structured_name=structured)]


def call(layers, at, name, *rest):
    one, given = layers[at], lambda i: value(rest[i], layers)
    if name in ("setattr", "add_sublayer", "add_parameter"):
        setattr(one, rest[0], given(1)) if name == "setattr" else getattr(one, name)(rest[0], given(1))
    elif name == "delattr":
        if hasattr(one, rest[0]):
            delattr(one, rest[0])
    elif name == "register_buffer":
        one.register_buffer(rest[0], given(1), persistable=rest[2])
    elif name == "set":
        return set_state(layers[0], *rest)
    elif name == "get":
        got = one[rest[0]]
        return got.full_name() if isinstance(got, paddle.nn.Layer) else got.name
    elif name == "setitem":
        one[rest[0]] = given(1)
    elif name == "delitem":
        del one[rest[0]]
    elif name == "insert":
        one.insert(rest[0], given(1))
    elif name == "append":
        one.append(given(0))
    elif name == "extend":
        one.extend([value(x, layers) for x in rest[0]])
    elif name == "update":
        one.update([(k, value(x, layers)) for k, x in rest[0]])
    elif name == "pop":
        return one.pop(rest[0]).full_name()
    else:
        getattr(one, name)()


def said(net):
    return {
        "state": [[k, v.name, float(v.numpy().reshape([-1])[0])] for k, v in net.state_dict().items()],
        "static": list(net.to_static_state_dict()),
        "own": list(net.state_dict(include_sublayers=False, structured_name_prefix="pre.")),
        "parameters": [[k, v.name] for k, v in net.named_parameters(prefix="p")],
        "buffers": [k for k, _ in net.named_buffers(prefix="b")],
        "layers": [[k, v.full_name(), v.training] for k, v in net.named_sublayers(prefix="q", include_self=True)],
        "children": [[k, v.full_name()] for k, v in net.named_children()],
    }


def main(folder, seed):
    rows, r = [], random.Random("layer walks %s" % seed)
    for i in range(COUNT):
        kinds = [r.choice(["Net", "Sequential", "LayerList", "LayerDict"])] + [r.choice(KINDS) for _ in range(7)]
        row = {"kinds": kinds, "calls": list(calls(r, kinds)), "after": []}
        rows.append(row)
        with paddle.utils.unique_name.guard("walk%d_" % i):
            layers = [layer(kind) for kind in kinds]
            for what in row["calls"]:
                answer, error = None, None
                try:
                    answer = call(layers, *what)
                except Exception as e:
                    error = str(e)[:100]
                row["after"].append([said(layers[0]), answer, error])
    return rows


# Before, containers check less, and set_state_dict answers nothing.
finish_rows((3, 3), main)
