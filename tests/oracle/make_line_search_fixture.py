"""Make tests/fixtures/training/paddle-VERSION/line_search.json with the Paddle that runs this: LBFGS's line search over answers that are
as good as random, whatever is asked.

Run: python make_line_search_fixture.py FOLDER
"""
import json, os, sys
import numpy as np
import paddle
from paddle.optimizer.lbfgs import _strong_wolfe

COUNT = 160


def answers(seed):
    """Losses and slopes, few values of either, from a generator that every language has."""
    state, found = seed + 1, []
    for _ in range(30):
        state = (state * 1103515245 + 12345) % 2**31
        found.append([(state >> 8) % (9 if seed % 2 else 33) / 8 - (0.5 if seed % 2 else 2), (state >> 16) % 25 / 8 - 1.5])
    if seed % 16 == 14:  # falls and falls
        found = [[-(8.0 ** k), -1.0] for k in range(30)]
    if seed % 16 == 15:  # never below the start
        found = [[4.0, slope] for _, slope in found]
    return found


def run(seed):
    calls, script = [0], answers(seed)
    vector = lambda x: paddle.to_tensor(np.array([x], "float32"))

    def evaluate(x, alpha, d):
        calls[0] += 1
        loss, slope = script[calls[0] - 1]
        return loss, vector(slope)

    loss, slope = 0.5, -0.25 - seed % 8 / 8
    gradient = vector(slope)
    found = _strong_wolfe(evaluate, None, [1.0, 0.013, 0.5][seed % 3], vector(1.0), loss, gradient, paddle.to_tensor(np.float32(slope)))
    loss, gradient, alpha, visits = found
    number = lambda x: None if np.isnan(x) else float(x)
    return [number(loss), number(gradient.numpy()[0]), number(np.asarray(alpha)), visits, isinstance(alpha, paddle.Tensor)]


rows = []
for seed in range(COUNT):
    try:
        rows.append(run(seed))
    except ZeroDivisionError:
        rows.append(None)
folder = os.path.join(sys.argv[1], "paddle-" + paddle.__version__)
os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, "line_search.json"), "w") as f:
    json.dump({"about": "by seed: loss, slope and alpha found, evaluations, whether alpha is a tensor; null for NaN, and for a division by zero",
               "made_with": {"paddle": paddle.__version__}, "found": rows}, f, separators=(",", ":"))
