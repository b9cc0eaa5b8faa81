"""Runs with values that are rare in training: NaN, infinite, huge, tiny and zero gradients and parameters, scalars, empty parameters, rates
that change, parameters that freeze or thaw on the way. Says the parameters and the whole state after every step.

    extremes.py FOLDER make SEED
"""
import random, warnings
import numpy as np
import paddle
from say import VERSION, finish_rows, number
from training import CLASSES, arguments, attributes, build, partition, unique_name

warnings.simplefilter("ignore")
COUNT, STEPS = 156, 4
# Whose vectorized square roots of infinite, huge and subnormal values are NaN or 0 (TRAINING.md 1).
ROOTS = ["Adagrad", "Adadelta", "RMSProp", "NAdam", "RAdam", "Lamb"] + (["Adam", "AdamW"] if VERSION < (2, 3) else [])
FINITE = [1e18, -1e17, 1e-30, 0.0, -0.0] + ([-1e-38, 1e-45] if VERSION >= (3, 0) else [])
# Rprop multiplies by uninitialised memory where the product of two gradients is NaN.
RARE = {kind: FINITE if kind == "Rprop" else FINITE + [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e20, -1e19] for kind in CLASSES}


def values(r, kind, shape, share):
    found = np.array([r.choice(RARE[kind]) if r.random() < share else r.uniform(-1, 1) for _ in range(int(np.prod(shape)))], "float64")
    return found.reshape(shape)


def cases(seed):
    r = random.Random("extremes %s" % seed)
    kinds = [k for k in CLASSES if hasattr(paddle.optimizer, k)]
    for i in range(COUNT):
        kind = kinds[i % len(kinds)]
        large = [] if kind in ROOTS else [[5, 4]]
        shapes = [r.choice([[3], [2, 3], [1]] + large + (([[]] if VERSION < (3, 0) else [[], [0], [2, 0]]) if VERSION >= (2, 5) and r.random() < 0.2 else [])) for _ in range(r.randint(1, 3))]
        args = arguments(r, kind)
        args.pop("use_multi_tensor", None)
        if VERSION == (2, 4) and kind == "RMSProp":
            args.pop("centered", None)
        dtype = "float64" if r.random() < 0.2 and "ClipGradByNorm" not in str(args) else "float32"
        groups = partition(r, kind, len(shapes)) if VERSION >= (2, 2) and r.random() < 0.2 else None
        if "ClipGradByNorm" in str(groups):
            dtype = "float32"
        start = [values(r, kind, s, r.choice([0, 0, 0.1])).astype(dtype) for s in shapes]
        steps = []
        for t in range(STEPS):
            share = r.choice([0, 0.2, 0.6])
            step = {"gradients": [None if r.random() < 0.1 and VERSION >= (2, 4) and 0 not in s else values(r, kind, s, share).astype(dtype) for s in shapes]}
            if r.random() < 0.2 and not isinstance(args["learning_rate"], dict):
                step["rate"] = r.choice([0.0, 0.5, 1e-30, 1e10])
            if r.random() < 0.15:
                step["frozen"] = r.randrange(len(shapes))
            steps.append(step)
        yield {"class": kind, "dtype": dtype, "args": args, "groups": groups, "attrs": [attributes(r, kind) for _ in shapes], "start": start, "steps": steps}


def plain(a):
    return None if a is None else [list(np.shape(a)), [number(x) for x in np.asarray(a, "float64").reshape(-1)]]


def run(case):
    parameters = []
    for k, value in enumerate(case["start"]):
        attr = paddle.ParamAttr(name="case.p_%d" % k, **{k: build(v) for k, v in case["attrs"][k].items()})
        parameters.append(paddle.create_parameter(list(value.shape), case["dtype"], attr=attr, default_initializer=paddle.nn.initializer.Constant(0.0)))
        parameters[-1].set_value(value)
    paddle.set_default_dtype(case["dtype"] if VERSION < (2, 2) else "float32")
    options = {k: build(v) for k, v in case["args"].items()}
    options["parameters"] = parameters
    if case["groups"]:
        options["parameters"] = [dict({k: build(v) for k, v in g.items()}, params=[parameters[k] for k in g["params"]]) for g in case["groups"]]
    optimizer = getattr(paddle.optimizer, case["class"])(**options)
    after = []
    for step in case["steps"]:
        if "rate" in step:
            optimizer.set_lr(step["rate"])
        if "frozen" in step:
            p = parameters[step["frozen"]]
            p.stop_gradient = not p.stop_gradient
        parts = [(p * paddle.to_tensor(g)).sum() for p, g in zip(parameters, step["gradients"]) if g is not None and not p.stop_gradient]
        if parts:
            sum(parts[1:], parts[0]).backward()
        optimizer.step()
        optimizer.clear_grad(**({"set_to_zero": False} if VERSION >= (2, 4) else {}))
        rate = optimizer._learning_rate
        if isinstance(rate, paddle.optimizer.lr.LRScheduler):
            rate.step()
        state = {k: v for k, v in optimizer.state_dict().items() if k not in ("LR_Scheduler", "master_weights")}
        after.append([[plain(p.numpy()) for p in parameters], [[k, plain(v.numpy())] for k, v in state.items()]])
    return after


def main(folder, mode, seed):
    rows = []
    for case in cases(int(seed)):
        row = {k: case[k] for k in ("class", "dtype", "args", "groups", "attrs")}
        row["start"] = [plain(v) for v in case["start"]]
        row["steps"] = [dict(step, gradients=[plain(g) for g in step["gradients"]]) for step in case["steps"]]
        try:
            with unique_name.guard():
                row["after"] = run(case)
        except Exception as e:
            row["error"] = "%s: %s" % (type(e).__name__, str(e)[-300:])
        rows.append(row)
    return rows


if __name__ == "__main__":
    finish_rows((2, 0), main)
