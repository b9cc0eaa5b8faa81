"""GradScaler in random orders of its calls, with a device that it takes for a GPU, where alone it is enabled.

    scaler.py FOLDER SEED
"""
import random, warnings
import numpy as np
import paddle
from say import finish_rows

warnings.simplefilter("ignore")
COUNT = 80
CALLS = 30
NAMES = ["init_loss_scaling", "incr_ratio", "decr_ratio", "incr_every_n_steps", "decr_every_n_nan_or_inf"]


def cases(seed):
    r = random.Random("scaler %s" % seed)
    for _ in range(COUNT):
        a = {"init_loss_scaling": r.choice([1024.0, 3.0, 65536.0]), "incr_ratio": r.choice([2.0, 1.7]), "decr_ratio": r.choice([0.5, 0.3]),
             "incr_every_n_steps": r.randint(1, 3), "decr_every_n_nan_or_inf": r.randint(1, 3), "use_dynamic_loss_scaling": r.random() < 0.8}
        calls = []
        while len(calls) < CALLS:
            kind, which = r.choice(["train", "train", "train", "unscale_", "step", "update", "minimize", "set", "reload", "gradient"]), r.randrange(2)
            finite = lambda: [r.uniform(-2000, 2000) for _ in range(3)]
            gradient = lambda: [r.choice([x] * 9 + [float("inf"), float("nan")]) for x in finite()]
            if kind == "train":  # a whole step of one optimizer or both
                both = [0, 1] if r.random() < 0.5 else [which]
                calls += [["gradient", k, gradient()] for k in both]
                calls += [["unscale_", k] for k in both if r.random() < 0.3]
                calls += [["step", k] for k in both] + [["update"]]
            elif kind == "gradient":
                calls.append(["gradient", which, gradient()])
            elif kind == "unscale_":
                calls += [["gradient", which, finite()], ["unscale_", which]]
            elif kind == "set":
                name = r.choice(NAMES)
                calls.append(["set", name, r.choice({"init_loss_scaling": [128.0, 7.0], "incr_ratio": [3.0, 1.0], "decr_ratio": [0.25, 1.0]}.get(name, [1, 2, 3]))])
            else:
                calls.append([kind] if kind in ("update", "reload") else [kind, which])
        yield {"args": a, "calls": calls}


class Gpu:
    """Says yes to everything a place is asked."""

    def __getattr__(self, name):
        return lambda *_: True


class Tracer:
    _expected_place = Gpu()


def number(x):
    return float(x) if np.isfinite(x) else str(float(x))


def run(case):
    make = lambda: paddle.amp.GradScaler(**case["args"])
    scaler = make()
    parameters = [paddle.create_parameter([3], "float32") for _ in range(2)]
    for p in parameters:
        p.set_value(np.zeros(3, "float32"))
    optimizers = [paddle.optimizer.SGD(0.5, parameters=[parameters[0]]), paddle.optimizer.Momentum(0.5, 0.25, parameters=[parameters[1]])]
    for call in case["calls"]:
        kind, rest, said = call[0], call[1:], None
        try:
            if kind == "gradient":
                parameters[rest[0]].clear_gradient()
                (parameters[rest[0]] * paddle.to_tensor(np.array(rest[1], "float32"))).sum().backward()
            elif kind == "set":
                getattr(scaler, "set_" + rest[0])(rest[1])
            elif kind == "update":
                scaler.update()
            elif kind == "reload":
                state, scaler = scaler.state_dict(), make()
                scaler.load_state_dict(state)
            elif kind == "minimize":
                scaler.minimize(optimizers[rest[0]], paddle.to_tensor(1.0))
            else:
                getattr(scaler, kind)(optimizers[rest[0]])
        except (RuntimeError, AssertionError) as e:
            said = str(e)
        state = scaler.state_dict()
        yield {"said": said, "scale": float(state["scale"][0]), "counts": [state["incr_count"], state["decr_count"]],
               "got": [float(getattr(scaler, "get_" + name)()) for name in NAMES], "dynamic": scaler.is_use_dynamic_loss_scaling(),
               "values": [[number(x) for x in p.numpy()] for p in parameters],
               "states": [len(o.state_dict()) for o in optimizers]}


def main(folder, seed):
    paddle.amp.grad_scaler._dygraph_tracer = lambda: Tracer()
    # It prints the scale, a Tensor, which numpy 2 does not make a float.
    paddle.amp.grad_scaler.float = lambda x: float(np.asarray(x).reshape(-1)[0])
    rows = []
    for case in cases(int(seed)):
        rows.append(dict(case, calls=[[number(x) if isinstance(x, float) else [number(y) for y in x] if isinstance(x, list) else x for x in call] for call in case["calls"]],
                         after=list(run(case))))
    return rows


# Earlier versions remember what they found where nothing was unscaled.
finish_rows((2, 6), main)
