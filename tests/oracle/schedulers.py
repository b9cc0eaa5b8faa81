"""Random schedulers of learning rates: steps, steps to an epoch, metrics.

    schedulers.py FOLDER make SEED     whole runs; saves the state in the middle
    schedulers.py FOLDER go SEED       goes on from the files in the folder
"""
import os, random, warnings
import numpy as np
import paddle
from say import VERSION, finish_rows

warnings.simplefilter("ignore")
COUNT = 300
STEPS = 12
FUNCTIONS = [lambda e: 0.9 ** e, lambda e: 0.95, lambda e: 1 / (e + 1), lambda e: 0.9 if e % 2 else 0.99]
METRICS = {
    "float": float,
    "float32": np.float32,
    "float64": np.float64,
    "array16": lambda x: np.array([x], "float16"),
    "array32": lambda x: np.array([x], "float32"),
    "array64": lambda x: np.array([x], "float64"),
    "rank0": lambda x: np.array(x, "float32"),
    "tensor32": lambda x: paddle.to_tensor(np.array([x], "float32")),
    "tensor64": lambda x: paddle.to_tensor(np.array([x], "float64")),
}
KINDS = ["NoamDecay", "PiecewiseDecay", "NaturalExpDecay", "InverseTimeDecay", "PolynomialDecay", "LinearWarmup", "ExponentialDecay", "MultiStepDecay",
         "StepDecay", "LambdaDecay", "ReduceOnPlateau", "CosineAnnealingDecay", "MultiplicativeDecay", "OneCycleLR", "CyclicLR", "LinearLR",
         "CosineAnnealingWarmRestarts"]


def arguments(r, kind, depth=0):
    rate, gamma = r.choice([round(r.uniform(0.001, 1), 3), 1.0, 1e-4]), r.choice([round(r.uniform(0.05, 0.99), 2), 0.1, 0.5])
    n = lambda top=6: r.randint(1, top)
    a = {"learning_rate": rate}
    if kind == "NoamDecay":
        a.update(d_model=r.choice([16, 64, 0.5, 0.01]), warmup_steps=n())
        if r.random() < 0.3:
            del a["learning_rate"]
    elif kind == "PiecewiseDecay":
        a = {"boundaries": sorted(r.sample(range(1, 10), 2)), "values": [rate, rate / 2, rate / 3]}
    elif kind in ("NaturalExpDecay", "InverseTimeDecay", "ExponentialDecay"):
        a["gamma"] = gamma
    elif kind == "PolynomialDecay":
        a.update(decay_steps=n(), end_lr=r.choice([0.001, 0.0]), power=r.choice([0.5, 1.0, 1.7, 2]), cycle=r.random() < 0.5)
    elif kind == "LinearWarmup":
        inner = rate
        if r.random() < 0.6 and depth < 2:
            inside = r.choice([k for k in KINDS if hasattr(paddle.optimizer.lr, k)])
            inner = {"scheduler": [inside, arguments(r, inside, depth + 1)]}
        a = {"learning_rate": inner, "warmup_steps": n(), "start_lr": r.choice([0.0, 0.01]), "end_lr": round(rate + 0.1, 4)}
    elif kind == "MultiStepDecay":
        a.update(milestones=sorted(r.sample(range(1, 10), n(4))), gamma=gamma)
    elif kind == "StepDecay":
        a.update(step_size=n(), gamma=gamma)
    elif kind in ("LambdaDecay", "MultiplicativeDecay"):
        a["lr_lambda"] = {"function": r.randrange(len(FUNCTIONS))}
    elif kind == "ReduceOnPlateau":
        a.update(mode=r.choice(["min", "max"]), factor=gamma, patience=r.randint(0, 2), cooldown=r.randint(0, 2), min_lr=r.choice([0, 0.01]),
                 threshold=r.choice([1e-4, 0.01, 0.1]), threshold_mode=r.choice(["rel", "abs"]), epsilon=r.choice([1e-8, 0.01]))
    elif kind == "CosineAnnealingDecay":
        a.update(T_max=n(), eta_min=r.choice([0, 0.001]))
    elif kind == "CosineAnnealingWarmRestarts":
        a.update(T_0=n(), T_mult=n(3), eta_min=r.choice([0, 0.001]))
    elif kind == "OneCycleLR":
        a = {"max_learning_rate": rate, "total_steps": r.choice([10, 20, 60]), "divide_factor": r.choice([25.0, 3.0]), "end_learning_rate": rate / 1000,
             "phase_pct": r.choice([0.3, 0.4, 0.25]), "anneal_strategy": r.choice(["cos", "linear"]), "three_phase": r.random() < 0.3}
    elif kind == "CyclicLR":
        a = {"base_learning_rate": rate / 4, "max_learning_rate": rate, "step_size_up": n(), "exp_gamma": gamma}
        if r.random() < 0.5:
            a["step_size_down"] = n()
        if r.random() < 0.3:
            a.update(scale_fn={"function": r.randrange(len(FUNCTIONS))}, scale_mode=r.choice(["cycle", "iterations"]))
        else:
            a["mode"] = r.choice(["triangular", "triangular2", "exp_range"])
    elif kind == "LinearLR":
        a.update(total_steps=n(), start_factor=r.choice([0.5, 1 / 3]), end_factor=r.choice([0.25, 1.0]))
    if kind != "ReduceOnPlateau" and r.random() < 0.2:
        a["last_epoch"] = r.randint(0, 4)
    return a


def metrics(r, a):
    """Some of them at the threshold, to the last bit."""
    kind, x, sign = r.choice(sorted(METRICS)), r.choice([1.0, 0.7, -0.4]), 1 if a["mode"] == "max" else -1
    # Sizes of 0 dimensions are refused before 2.5.
    kind = "array32" if kind == "rank0" and VERSION < (2, 5) else kind
    for _ in range(STEPS):
        chance = r.random()
        if chance < 0.5:
            x += sign * a["threshold"] * (x if a["threshold_mode"] == "rel" else 1)
        elif chance < 0.8:
            x = round(r.uniform(0.5, 1.5), 2)
        yield {"metric": [kind, x]}


def cases(seed):
    r = random.Random("schedulers %s" % seed)
    kinds = [k for k in KINDS if hasattr(paddle.optimizer.lr, k)]
    for i in range(COUNT):
        kind = kinds[i % len(kinds)]
        a = arguments(r, kind)
        if kind == "ReduceOnPlateau":
            calls = list(metrics(r, a))
        else:
            calls = [{"epoch": r.choice([0, 1, 3, 7, 11])} if r.random() < 0.15 else {} for _ in range(STEPS)]
        yield {"class": kind, "args": a, "calls": calls, "at": r.randint(1, STEPS - 2)}


def build(v):
    if isinstance(v, dict):
        (kind, what), = v.items()
        return FUNCTIONS[what] if kind == "function" else scheduler(what[0], what[1])
    return v


def scheduler(kind, args):
    return getattr(paddle.optimizer.lr, kind)(**{k: build(v) for k, v in args.items()})


def call(s, what):
    if "metric" in what:
        kind, x = what["metric"]
        s.step(METRICS[kind](x))
    else:
        s.step(**what)


def main(folder, mode, seed):
    rows = []
    for i, case in enumerate(cases(int(seed))):
        row, path, first = dict(case, rates=[]), os.path.join(folder, "scheduler-%d.pdopt" % i), 0
        try:
            s = scheduler(case["class"], case["args"])
            optimizer = paddle.optimizer.SGD(s, parameters=[paddle.create_parameter([1], "float32")])
            if mode == "go":
                if not os.path.exists(path):
                    rows.append(None)
                    continue
                optimizer.set_state_dict(paddle.load(path))
                first = case["at"]
            for t in range(first, STEPS):
                row["rates"].append([float(s()), s.last_epoch])
                if mode == "make" and t == case["at"]:
                    try:
                        paddle.save(optimizer.state_dict(), path)
                    except TypeError:  # a Tensor cannot become a float with numpy 2
                        pass
                call(s, case["calls"][t])
            row["rates"].append([float(s()), s.last_epoch])
        except Exception as e:
            row["error"] = "%s: %s" % (type(e).__name__, str(e)[-200:])
        rows.append(row)
    return rows


if __name__ == "__main__":
    finish_rows((2, 0), main)
