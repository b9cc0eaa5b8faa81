"""Make tests/fixtures/training/paddle-VERSION/float64.json with the Paddle that runs this: four steps of float64 parameters.

Run: python make_float64_fixtures.py FOLDER
"""
import json
import os
import sys

import numpy as np
import paddle

try:
    from paddle.utils import unique_name
except ImportError:
    from paddle.fluid import unique_name

BETAS = {"beta1": 0.31, "beta2": 0.987, "epsilon": 0.001}
CASES = [
    ("SGD", {}),
    ("SGD", {"weight_decay": 0.07}),
    ("SGD", {"weight_decay": {"regularizer": ["L1Decay", 0.07]}}),
    ("SGD", {"grad_clip": {"clip": ["ClipGradByValue", {"max": 0.3}]}}),
    ("SGD", {"grad_clip": {"clip": ["ClipGradByGlobalNorm", {"clip_norm": 0.3}]}}),
    ("SGD", {"grad_clip": {"clip": ["ClipGradByNorm", {"clip_norm": 0.3}]}}),
    ("Momentum", {"momentum": 0.87, "use_nesterov": True, "weight_decay": 0.07}),
    ("Adagrad", {"epsilon": 0.001, "initial_accumulator_value": 0.3}),
    ("Adam", BETAS),
    ("Adam", dict(BETAS, amsgrad=True)),
    ("Adam", dict(BETAS, use_multi_tensor=True)),
    ("AdamW", dict(BETAS, weight_decay=0.07)),
    ("Adamax", BETAS),
    ("Adadelta", {"rho": 0.31, "epsilon": 0.001}),
    ("RMSProp", {"rho": 0.31, "epsilon": 0.001, "momentum": 0.3}),
    ("RMSProp", {"rho": 0.31, "epsilon": 0.001, "centered": True}),
    ("Lamb", dict(BETAS, lamb_weight_decay=0.03)),
    ("NAdam", dict(BETAS, momentum_decay=0.007)),
    ("RAdam", dict(BETAS, beta2=0.91)),
    ("ASGD", {"batch_num": 3}),
    ("Rprop", {"learning_rate_range": [0.011, 0.07], "etas": [0.43, 1.3]}),
]


def build(v):
    if isinstance(v, dict):
        (kind, what), = v.items()
        return getattr(paddle.regularizer, what[0])(what[1]) if kind == "regularizer" else getattr(paddle.nn, what[0])(**what[1])
    return v


def run(kind, args):
    random = np.random.RandomState(5)
    make = lambda: [random.uniform(-1, 1, shape) for shape in ([2, 3], [9])]
    start, gradients = make(), [make() for _ in range(8)]
    case = {"class": kind, "args": args, "start": [v.tolist() for v in start], "gradients": [[g.ravel().tolist() for g in step] for step in gradients]}
    try:
        with unique_name.guard():
            parameters = [paddle.create_parameter(list(v.shape), "float64", attr=paddle.ParamAttr(name="p%d" % k)) for k, v in enumerate(start)]
            for parameter, value in zip(parameters, start):
                parameter.set_value(value)
            optimizer = getattr(paddle.optimizer, kind)(learning_rate=0.037, parameters=parameters, **{k: build(v) for k, v in args.items()})
            for step in gradients:
                loss = 0
                for parameter, gradient in zip(parameters, step):
                    loss = loss + (parameter * paddle.to_tensor(gradient)).sum()
                loss.backward()
                optimizer.step()
                optimizer.clear_grad()
            case["after"] = [p.numpy().ravel().tolist() for p in parameters]
            dtype = lambda v: "int64" if "int64" in str(v.dtype).lower() else "float64"
            case["state"] = [[k, dtype(v), list(v.shape), v.numpy().ravel().tolist()] for k, v in optimizer.state_dict().items()]
    except Exception as e:
        case["error"] = type(e).__name__
    return case


cases = [run(kind, args) for kind, args in CASES if hasattr(paddle.optimizer, kind) and ("amsgrad" not in args or paddle.__version__ >= "3")]
given = {"start": cases[0]["start"], "gradients": cases[0]["gradients"]}
for case in cases:
    del case["start"], case["gradients"]
folder = os.path.join(sys.argv[1], "paddle-" + paddle.__version__)
os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, "float64.json"), "w") as f:
    about = "eight steps on float64 parameters [2, 3] and [9]: values and state after them"
    json.dump(dict(about=about, made_with={"paddle": paddle.__version__}, cases=cases, **given), f, separators=(",", ":"))
