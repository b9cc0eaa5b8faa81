"""Random walks over schedulers: steps, steps to an epoch, states that are set again, whole or damaged, and fields that are changed.

    scheduler_walks.py FOLDER SEED
"""
import contextlib, io, json, random, warnings
import paddle
from say import finish_rows, number
from schedulers import KINDS, arguments, scheduler

COUNT = 340
CALLS = 16
# What follows from a negative epoch is a complex number, or divided by zero in one of the functions.
NOT_NEGATIVE = ["PolynomialDecay", "LambdaDecay", "CyclicLR"]
# Paddle's own does not continue where it was.
NOT_SET = ["CosineAnnealingWarmRestarts"]


def calls(r, kind):
    epochs = [0, 1, 2, 3, 5, 7, 11, 2.5, 0.25] + ([] if kind in NOT_NEGATIVE else [-1, -2])
    for _ in range(CALLS):
        chance = r.random()
        if chance < 0.6 or (chance < 0.85 and kind in NOT_SET):
            call = ["step"] if r.random() < 0.7 else ["step", r.choice(epochs)]
            yield ["metric", round(r.uniform(-1, 1.5), 2)] + call[1:] if kind == "ReduceOnPlateau" else call
        elif chance < 0.85:
            yield ["set", r.randrange(CALLS), r.choice(["whole", "whole", "lacks", "more"])]
        else:
            field = r.choice(["last_epoch", "last_lr", "base_lr", "verbose"])
            yield [field, r.choice(epochs) if field == "last_epoch" else r.random() < 0.7 if field == "verbose" else r.choice([0.125, 0.3, 1e-5])]


def state_of(s):
    def said(state):
        return [[k, said(v) if isinstance(v, dict) else number(v) if isinstance(v, float) else v if v is None else str(v)] for k, v in state.items()]
    return said(s.state_dict())


def copy(state):
    return {k: copy(v) if isinstance(v, dict) else v for k, v in state.items()}


def call(s, what, states):
    name, rest = what[0], what[1:]
    if name == "step":
        s.step(*rest)
    elif name == "metric":
        s.step(*rest)
    elif name == "set":
        state = copy(states[rest[0] % len(states)])
        if rest[1] == "lacks":
            del state["last_lr"]
        elif rest[1] == "more":
            state["more"] = 1
        s.set_state_dict(state)
    else:
        setattr(s, name, rest[0])


def main(folder, seed):
    rows, r = [], random.Random("walks %s" % seed)
    kinds = [k for k in KINDS if hasattr(paddle.optimizer.lr, k)]
    while len(rows) < COUNT:
        kind = kinds[len(rows) % len(kinds)]
        args = arguments(r, kind)
        if kind == "LinearWarmup" and "ReduceOnPlateau" in json.dumps(args):
            continue
        row = {"class": kind, "args": args, "calls": list(calls(r, kind)), "after": []}
        rows.append(row)
        try:
            s = scheduler(kind, args)
        except Exception as e:
            row["error"] = str(e)
            continue
        states = [s.state_dict()]
        for what in row["calls"]:
            printed, error = io.StringIO(), False
            with contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                try:
                    call(s, what, states)
                except Exception:
                    error = True
            states.append(s.state_dict())
            row["after"].append([state_of(s), number(s()), printed.getvalue(), len([w for w in warned if "unused values" in str(w.message)]), error])
    return rows


finish_rows((2, 0), main)
