"""Random runs of LBFGS, with closures whose losses and gradients are the same numbers everywhere.

    lbfgs.py FOLDER SEED            six steps of each run; saves what is there after three
"""
import os, random, warnings
import numpy as np
import paddle
from say import finish_rows

warnings.simplefilter("ignore")
COUNT = 60


def rosenbrock(x, c):
    """One rounding an operation, in this order."""
    one, two = x.dtype.type(1), x.dtype.type(2)
    loss, gradient = x.dtype.type(0), np.zeros_like(x)
    for i in range(len(x) - 1):
        a = x[i + 1] - x[i] * x[i]
        b = one - x[i]
        loss = loss + (c[i] * (a * a) + b * b)
        ca = (two * c[i]) * a
        gradient[i] = gradient[i] - (ca * (two * x[i]) + two * b)
        gradient[i + 1] = gradient[i + 1] + ca
    return loss, gradient


def quadratic(x, c):
    one, two = x.dtype.type(1), x.dtype.type(2)
    loss, gradient = x.dtype.type(0), np.zeros_like(x)
    for i in range(len(x)):
        a = x[i] - one
        loss = loss + c[i] * (a * a)
        gradient[i] = two * (c[i] * a)
    return loss, gradient


def script(numbers, n):
    """Losses and gradients of 12 calls, each as good as any other: few values, so that many of them are equal."""
    rows = [[numbers.randint(-8, 9) / 8.0] + [numbers.randint(-6, 7) / 4.0 for _ in range(n)] for _ in range(12)]
    return np.array(rows).reshape(-1)


def cases(seed):
    r, numbers = random.Random("lbfgs %s" % seed), np.random.RandomState(seed)
    for _ in range(COUNT):
        kind = r.choice(["rosenbrock", "quadratic", "scripted"])
        shapes = r.choice([[[2]], [[3], [2, 2]], [[1], [4], [3]], [[4, 5], [7]], [[2, 70]]]) if kind != "scripted" else [[1], [2]]
        n = sum(int(np.prod(s)) for s in shapes)
        search = r.choice(["strong_wolfe", "strong_wolfe", None])
        args = {"learning_rate": r.choice([1.0, 0.5, 0.013]) if search else r.choice([0.1, 0.003]), "max_iter": r.randint(1, 12), "line_search_fn": search}
        if r.random() < 0.5:
            args["history_size"] = r.randint(1, 5)
        if r.random() < 0.3:
            args["max_eval"] = r.randint(1, 9)
        is_scripted = kind == "scripted"
        if r.random() < 0.3:
            args["tolerance_grad"] = r.choice([0.25, 0.5, 0.5 - 1e-12, 1.0]) if is_scripted else 0.01
        if r.random() < 0.3:
            args["tolerance_change"] = r.choice([0.125, 0.25, 0.25 + 1e-12, 0.25 - 1e-12, 0.5]) if is_scripted else 1e-5
        # What its steps do not look at.
        if r.random() < 0.3:
            args["weight_decay"] = r.choice([0.5, {"regularizer": ["L1Decay", 0.5]}, {"regularizer": ["L2Decay", 0.5]}])
        if r.random() < 0.3:
            args["grad_clip"] = {"clip": ["ClipGradByValue", {"max": 0.01}]}
        if r.random() < 0.3:
            args["name"] = "quasi"
        top = r.choice([1.0, 10.0, 100.0])
        yield {"kind": kind, "dtype": r.choice(["float32", "float32", "float64"]), "shapes": shapes, "args": args,
               "start": numbers.uniform(-2, 2, n), "factors": script(numbers, n) if is_scripted else numbers.uniform(0.1, top, n)}


def plain(v):
    if isinstance(v, paddle.Tensor):
        return {"dtype": str(v.dtype).split(".")[-1], "shape": list(v.shape), "data": v.numpy().reshape(-1).astype("float64").tolist()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, float):
        return {"float": v}
    return v


def build(v):
    if not isinstance(v, dict):
        return v
    (kind, (name, what)), = v.items()
    return getattr(paddle.nn, name)(**what) if kind == "clip" else getattr(paddle.regularizer, name)(what)


def run(case):
    dtype = case["dtype"]
    start, factors = case["start"].astype(dtype), case["factors"].astype(dtype)
    parameters, offset = [], 0
    for shape in case["shapes"]:
        size = int(np.prod(shape))
        parameters.append(paddle.create_parameter(shape, dtype))
        parameters[-1].set_value(start[offset:offset + size].reshape(shape))
        offset += size
    optimizer = paddle.optimizer.LBFGS(parameters=parameters, **{k: build(v) for k, v in case["args"].items()})
    calls = [0]

    def closure():
        calls[0] += 1
        x = np.concatenate([p.numpy().reshape(-1) for p in parameters])
        if case["kind"] == "scripted":
            k = (calls[0] - 1) * (len(x) + 1) % len(factors)
            loss, gradient = factors[k], factors[k + 1:k + 1 + len(x)]
        else:
            loss, gradient = globals()[case["kind"]](x, factors)
        optimizer.clear_grad()
        total, offset = 0, 0
        for p in parameters:
            size = int(np.prod(p.shape))
            total = total + (p * paddle.to_tensor(gradient[offset:offset + size].reshape(p.shape))).sum()
            offset += size
        total.backward()
        return paddle.to_tensor(loss)

    for t in range(6):
        loss = float(optimizer.step(closure))
        state = optimizer.state_dict()
        x = np.concatenate([p.numpy().reshape(-1) for p in parameters]).astype("float64").tolist()
        yield {"loss": loss, "calls": calls[0], "x": x, "state": [[k, plain(v)] for k, v in state["state"].items()]}, state


def main(folder, seed):
    rows = []
    for i, case in enumerate(cases(int(seed))):
        row = {k: v.astype(case["dtype"]).astype("float64").tolist() if isinstance(v, np.ndarray) else v for k, v in case.items()}
        try:
            row["steps"] = []
            for t, (said, state) in enumerate(run(case)):
                row["steps"].append(said)
                if t == 2:
                    paddle.save(state, os.path.join(folder, "run-%d.pdopt" % i))
        except Exception as e:
            row["error"] = "%s: %s" % (type(e).__name__, str(e)[-300:])
        rows.append(row)
    return rows


finish_rows((3, 0), main)
