"""Random training runs: nine steps as a whole, or a part of them between files.

    training.py FOLDER make SEED                   nine steps of each run; saves what is there after three
    training.py FOLDER go SEED FROM TO             goes on from the files of step FROM to step TO, saves again
"""
import os, random, warnings
import numpy as np
import paddle
from say import VERSION, finish_rows

warnings.simplefilter("ignore")
COUNT = 120
CLASSES = ["SGD", "Momentum", "Adagrad", "Adam", "AdamW", "Adamax", "Adadelta", "RMSProp", "Lamb", "NAdam", "RAdam", "ASGD", "Rprop"]
# Whose row-sparse gradients give the same numbers in every run (TRAINING.md 3).
SPARSE = ["SGD", "Momentum", "Adagrad", "Adam", "RMSProp", "Lamb", "Rprop"]
SCHEDULERS = ["NoamDecay", "PiecewiseDecay", "NaturalExpDecay", "InverseTimeDecay", "PolynomialDecay", "LinearWarmup", "ExponentialDecay",
              "MultiStepDecay", "StepDecay", "CosineAnnealingDecay", "OneCycleLR", "CyclicLR", "LinearLR", "LambdaDecay", "MultiplicativeDecay"]

# Options that groups have of their own, besides those of partition.
OF_GROUPS = {
    "Adagrad": {"epsilon": 0.01, "initial_accumulator_value": 0.5},
    "Adadelta": {"epsilon": 0.01, "rho": 0.7},
    "RMSProp": {"epsilon": 0.01, "rho": 0.7, "momentum": 0.4},
    "NAdam": {"epsilon": 0.01, "momentum_decay": 0.1},
    "RAdam": {"epsilon": 0.01},
    "Adam": {"epsilon": 0.01},
    "AdamW": {"epsilon": 0.01},
    "Adamax": {"epsilon": 0.01},
    "Lamb": {"epsilon": 0.01, "lamb_weight_decay": 0.2},
}


def scheduler(r):
    kind = r.choice([k for k in SCHEDULERS if hasattr(paddle.optimizer.lr, k)])
    rate, gamma = round(r.uniform(0.01, 0.5), 3), round(r.uniform(0.1, 0.99), 2)
    n = lambda: r.randint(1, 5)
    a = {"learning_rate": rate}
    if kind == "NoamDecay":
        a.update(d_model=r.choice([16, 64, 0.5]), warmup_steps=n())
    elif kind == "PiecewiseDecay":
        a = {"boundaries": [2, 5], "values": [rate, rate / 2, rate / 3]}
    elif kind in ("NaturalExpDecay", "InverseTimeDecay", "ExponentialDecay"):
        a["gamma"] = gamma
    elif kind == "PolynomialDecay":
        a.update(decay_steps=n() + 2, end_lr=0.001, power=r.choice([0.5, 1.0, 1.7]), cycle=r.random() < 0.5)
    elif kind == "LinearWarmup":
        inner = {"scheduler": ["StepDecay", {"learning_rate": rate, "step_size": 2, "gamma": 0.5}]}
        a = {"learning_rate": r.choice([rate, inner]) if VERSION >= (2, 1) else rate, "warmup_steps": n(), "start_lr": 0.0, "end_lr": rate}
    elif kind == "MultiStepDecay":
        a.update(milestones=[2, 4, 7], gamma=gamma)
    elif kind == "StepDecay":
        a.update(step_size=n(), gamma=gamma)
    elif kind == "CosineAnnealingDecay":
        a.update(T_max=n() + 2, eta_min=0.001)
    elif kind == "OneCycleLR":
        a = {"max_learning_rate": rate, "total_steps": 20, "phase_pct": 0.4, "anneal_strategy": r.choice(["cos", "linear"])}
    elif kind == "CyclicLR":
        a = {"base_learning_rate": rate / 4, "max_learning_rate": rate, "step_size_up": n(), "mode": r.choice(["triangular", "triangular2", "exp_range"]), "exp_gamma": gamma}
    elif kind == "LinearLR":
        a.update(total_steps=n() + 3, start_factor=0.5, end_factor=0.25)
    elif kind in ("LambdaDecay", "MultiplicativeDecay"):
        a["lr_lambda"] = {"python": "lambda epoch: 0.9 if epoch % 2 else 0.99"}
    if r.random() < 0.2:
        a["last_epoch"] = r.randint(0, 3)
    return {"scheduler": [kind, a]}


def clip(r):
    kind = r.choice(["ClipGradByValue", "ClipGradByNorm", "ClipGradByGlobalNorm"])
    top = round(r.uniform(0.2, 2.0), 2)
    return {"clip": [kind, {"max": top} if kind == "ClipGradByValue" else {"clip_norm": top}]}


def decay(r, kind):
    c = round(r.uniform(0.001, 0.3), 3)
    if kind in ("AdamW", "Lamb", "Rprop"):
        return c
    return r.choice([c, {"regularizer": ["L2Decay", c]}] + ([{"regularizer": ["L1Decay", c]}] if VERSION >= (2, 1) else []))


def arguments(r, kind):
    a = {"learning_rate": scheduler(r) if r.random() < 0.5 and kind != "Rprop" else round(r.uniform(0.001, 0.3), 4)}
    if r.random() < 0.4:
        a["grad_clip"] = clip(r)
    if r.random() < 0.4 and kind not in ("Lamb", "Rprop"):
        a["weight_decay"] = decay(r, kind)
    maybe = lambda name, value: a.__setitem__(name, value) if r.random() < 0.5 else None
    if kind in ("Adam", "AdamW", "Adamax", "Lamb", "NAdam", "RAdam"):
        maybe("beta1", round(r.uniform(0.5, 0.99), 2))
        maybe("beta2", round(r.uniform(0.5, 0.9999), 4))
    if kind in ("Adam", "AdamW") and VERSION >= (3, 0):
        maybe("amsgrad", True)
    if kind == "AdamW":
        maybe("apply_decay_param_fun", {"python": "lambda name: name.endswith('_0')"})
        if (2, 2) <= VERSION < (2, 6):
            maybe("lr_ratio", {"python": "lambda p: 0.5 if len(p.shape) == 1 else 0.25"})
    if kind == "Lamb":
        maybe("exclude_from_weight_decay_fn", {"python": "lambda p: p.name.endswith('_0')"})
    if r.random() < 0.2:
        a["name"] = "quick"
    if kind == "Adam" and VERSION >= (2, 2) and "amsgrad" not in a and not isinstance(a.get("weight_decay"), dict):
        maybe("use_multi_tensor", True)
    if kind == "Momentum":
        maybe("momentum", round(r.uniform(0, 0.99), 2))
        maybe("use_nesterov", True)
        if VERSION >= (2, 2) and r.random() < 0.2:
            a["use_multi_tensor"] = True
    if kind == "RMSProp":
        maybe("rho", 0.8)
        maybe("momentum", 0.5)
        if VERSION != (2, 4):
            maybe("centered", True)
    if kind == "Adagrad":
        maybe("initial_accumulator_value", 0.25)
    if kind == "Adadelta":
        maybe("rho", 0.8)
    if kind == "Lamb":
        maybe("lamb_weight_decay", r.choice([0.0, 0.1]))
    if kind == "NAdam":
        maybe("momentum_decay", 0.02)
    if kind == "ASGD":
        maybe("batch_num", r.randint(1, 4))
    return a


def attributes(r, kind):
    """Of one parameter."""
    a = {}
    if r.random() < 0.15:
        a["learning_rate"] = 0.7
    if r.random() < 0.15 and kind not in ("Lamb", "Rprop", "AdamW"):
        a["regularizer"] = own_decay(r)
    if r.random() < 0.15:
        a["need_clip"] = False
    if r.random() < 0.1:
        a["trainable"] = False
    return a


def takes_rows(kind, args, groups):
    """Whether this Paddle takes row-sparse gradients then."""
    text = str([args, groups])
    if kind not in SPARSE or "use_multi_tensor" in text or "amsgrad" in text or kind == "Momentum" and VERSION == (2, 4):
        return False
    if kind == "Adam" and "weight_decay" in args and groups is None:
        return False
    if kind == "Adam" and VERSION < (2, 1) and "clip" in text:
        return False  # other numbers in every run
    return ("ClipGradByNorm" not in text or VERSION > (2, 4)) and ("ClipGradByValue" not in text or VERSION < (2, 1))


def looked_up(r, numbers, shape, dtype):
    """Rows of an Embedding, some of them twice, and the gradients of what was looked up."""
    rows = [r.randrange(shape[0]) for _ in range(r.randint(1, shape[0] + 1))]
    return {"rows": rows, "values": numbers.uniform(-1, 1, [len(rows), shape[1]]).astype(dtype)}


def own_decay(r):
    return {"regularizer": [r.choice(["L1Decay", "L2Decay"] if VERSION >= (2, 1) else ["L2Decay"]), round(r.uniform(0.001, 0.3), 3)]}


def partition(r, kind, count):
    """Groups of all parameters, some with options of their own."""
    left, groups = list(range(count)), []
    r.shuffle(left)
    while left:
        size = r.randint(1, len(left))
        g = {"params": left[:size]}
        left = left[size:]
        if r.random() < 0.5:
            g["learning_rate"] = 0.3
        if r.random() < 0.5 and kind not in ("Lamb", "Rprop"):
            g["weight_decay"] = decay(r, kind)
        elif r.random() < 0.2 and kind not in ("Lamb", "Rprop", "AdamW"):
            g["weight_decay"] = None
        if r.random() < 0.3:
            g["grad_clip"] = r.choice([None, clip(r)])
        if kind == "Momentum" and r.random() < 0.3:
            g.update(momentum=0.6, use_nesterov=r.random() < 0.5)
        if kind in ("Adam", "AdamW", "Adamax", "Lamb", "NAdam", "RAdam") and r.random() < 0.3:
            g.update(beta1=0.7, beta2=0.95)
        for name, value in OF_GROUPS.get(kind, {}).items():
            if r.random() < 0.3:
                g[name] = value
        groups.append(g)
    return groups


def cases(seed):
    r = random.Random("training %s" % seed)
    numbers = np.random.RandomState(seed)
    kinds = [k for k in CLASSES if hasattr(paddle.optimizer, k)]
    for i in range(COUNT):
        kind = kinds[i % len(kinds)]
        # Parameters of less than 8 values take no vector loop.
        shapes = [r.choice([[3], [2, 3], [1]]) if i % 3 else [r.randint(2, 9), r.randint(2, 9)] for _ in range(r.choice([1, 2, 2, 3, 3, 10]))]
        args = arguments(r, kind)
        # Paddle has no float64 kernel for these two.
        is_narrow = args.get("use_multi_tensor") or "ClipGradByNorm" in str(args.get("grad_clip"))
        dtype = "float64" if r.random() < 0.3 and not is_narrow else "float32"
        make = lambda: [numbers.uniform(-1, 1, s).astype(dtype) for s in shapes]
        groups = None
        if VERSION >= (2, 2) and r.random() < 0.3 and not args.get("use_multi_tensor"):
            groups = partition(r, kind, len(shapes))
            if dtype == "float64" and "ClipGradByNorm" in str(groups):
                dtype = "float32"
        attrs = [attributes(r, kind) for _ in shapes]
        gradients = [make() for _ in range(9)]
        if takes_rows(kind, args, groups):
            if kind == "Adam" and r.random() < 0.5:
                args["lazy_mode"] = True
            sparse = [len(s) == 2 and r.random() < 0.3 for s in shapes]
            gradients = [[looked_up(r, numbers, s, dtype) if yes else g for yes, s, g in zip(sparse, shapes, step)] for step in gradients]
        # Whoever goes on from a file needs the state of all parameters.
        if r.random() < 0.3 and VERSION >= (2, 4) and not args.get("use_multi_tensor"):
            gradients = [[None if t % 3 and r.random() < 0.3 else g for g in step] for t, step in enumerate(gradients)]
        gradients = [[g if a.get("trainable", True) else None for g, a in zip(step, attrs)] for step in gradients]
        yield {"class": kind, "dtype": dtype, "args": args, "groups": groups, "attrs": attrs, "start": make(), "gradients": gradients}


def build(v):
    if isinstance(v, dict) and len(v) == 1:
        (kind, what), = v.items()
        if kind == "python":
            return eval(what)
        if kind == "scheduler":
            return getattr(paddle.optimizer.lr, what[0])(**{k: build(x) for k, x in what[1].items()})
        if kind == "regularizer":
            return getattr(paddle.regularizer, what[0])(what[1])
        if kind == "clip":
            return getattr(paddle.nn, what[0])(**what[1])
    return v


def part(p, g):
    """Of the loss: its gradient is g."""
    if isinstance(g, dict):
        p, g = paddle.nn.functional.embedding(paddle.to_tensor(np.array(g["rows"], "int64")), p, sparse=True), g["values"]
    return (p * paddle.to_tensor(g)).sum()


def plain(g):
    if isinstance(g, dict):
        return {"rows": g["rows"], "values": plain(g["values"])}
    return None if g is None else g.reshape(-1).astype("float64").tolist()


def run(case, first, last, values, state, keep=None):
    """Steps first+1 to last; what the parameters are after every third."""
    parameters = []
    for k, value in enumerate(values):
        attr = paddle.ParamAttr(name="case.p_%d" % k, **{k: build(v) for k, v in case["attrs"][k].items()})
        parameters.append(paddle.create_parameter(list(np.shape(value)), case["dtype"], attr=attr))
        parameters[-1].set_value(np.array(value, case["dtype"]))
    paddle.set_default_dtype(case["dtype"] if VERSION < (2, 2) else "float32")
    options = {k: build(v) for k, v in case["args"].items()}
    options["parameters"] = parameters
    if case["groups"]:
        options["parameters"] = [dict({k: build(v) for k, v in g.items()}, params=[parameters[k] for k in g["params"]]) for g in case["groups"]]
    optimizer = getattr(paddle.optimizer, case["class"])(**options)
    if state is not None:
        optimizer.set_state_dict(state)
    after = {}
    for t in range(first, last):
        parts = [part(p, g) for p, g in zip(parameters, case["gradients"][t]) if g is not None]
        if parts:
            sum(parts[1:], parts[0]).backward()
        optimizer.step()
        optimizer.clear_grad(**({"set_to_zero": False} if VERSION >= (2, 4) else {}))
        rate = getattr(optimizer, "_learning_rate")
        if isinstance(rate, paddle.optimizer.lr.LRScheduler):
            rate.step()
        if (t + 1) % 3 == 0:
            after[t + 1] = [p.numpy().reshape(-1).astype("float64").tolist() for p in parameters]
        if t + 1 == keep:
            save = {p.name: p for p in parameters}, optimizer.state_dict()
            yield "files", save
    yield "after", after


try:
    from paddle.utils import unique_name
except ImportError:
    from paddle.fluid import unique_name


def main(folder, mode, seed, first="0", last="9"):
    first, last, rows = int(first), int(last), []
    path = lambda i, t, end: os.path.join(folder, "run-%d-%d.%s" % (i, t, end))
    for i, case in enumerate(cases(int(seed))):
        row = {"class": case["class"], "dtype": case["dtype"], "args": case["args"], "groups": case["groups"], "attrs": case["attrs"]}
        row["start"] = [[list(v.shape), v.reshape(-1).astype("float64").tolist()] for v in case["start"]]
        row["gradients"] = [[plain(g) for g in step] for step in case["gradients"]]
        try:
            with unique_name.guard():
                values, state = case["start"], None
                if mode == "go":
                    if not os.path.exists(path(i, first, "pdopt")):
                        rows.append({})
                        continue
                    given = paddle.load(path(i, first, "pdparams"))
                    values = [np.array(given["case.p_%d" % k]) for k in range(len(values))]
                    state = paddle.load(path(i, first, "pdopt"))
                keep = 3 if mode == "make" else last
                for what, found in run(case, first, last, values, state, keep):
                    if what == "files":
                        paddle.save(found[0], path(i, keep, "pdparams"))
                        paddle.save(found[1], path(i, keep, "pdopt"))
                    else:
                        row["after"] = found
        except Exception as e:
            row["error"] = "%s: %s" % (type(e).__name__, str(e)[-300:])
        rows.append(row)
    return rows


if __name__ == "__main__":
    finish_rows((2, 0), main)
