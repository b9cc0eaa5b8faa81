"""Make tests/fixtures/training/paddle-VERSION/attributes.json, and initializers.json, with the Paddle that runs this.

Run: python make_layer_fixtures.py FOLDER
"""
import json
import os
import sys

import numpy as np
import paddle

nn = paddle.nn
initializer = nn.initializer
folder = os.path.join(sys.argv[1], "paddle-" + paddle.__version__)
FROZEN = {"attr": {"trainable": False}}
STILL = {"attr": {"learning_rate": 0.0}}


def dtype_of(tensor):
    return str(tensor.dtype).split(".")[-1].lower().replace("fp32", "float32").replace("fp64", "float64")


def write(name, about, **parts):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w") as f:
        json.dump(dict(about=about, made_with={"paddle": paddle.__version__}, **parts), f, separators=(",", ":"))


def attribute_cases():
    for kind in ("BatchNorm2D", "SyncBatchNorm", "GroupNorm"):
        for options in ({"weight_attr": False}, {"bias_attr": False}, {"weight_attr": FROZEN, "bias_attr": STILL}):
            yield kind, [2, 4] if kind == "GroupNorm" else [3], options
    yield "BatchNorm", [3], {"param_attr": FROZEN, "use_global_stats": True}
    yield "BatchNorm", [3], {"param_attr": STILL, "bias_attr": FROZEN, "use_global_stats": True}
    yield "BatchNorm", [3], {"moving_mean_name": "mm", "moving_variance_name": "mv", "dtype": "float64"}
    yield "LayerNorm", [3], {"weight_attr": FROZEN, "bias_attr": False}
    yield "InstanceNorm1D", [3], {"weight_attr": False}
    yield "InstanceNorm1D", [3], {"weight_attr": FROZEN}
    for kind in ("SimpleRNNCell", "LSTMCell", "GRUCell"):
        yield kind, [2, 3], {"weight_ih_attr": False, "bias_hh_attr": False}
    for more in ({}, {"num_layers": 2}, {"num_layers": 2, "direction": "bidirect"}, {"direction": "backward"}):
        yield "GRU", [2, 3], dict(bias_ih_attr=False, **more)
        yield "SimpleRNN", [2, 3], dict(bias_ih_attr=False, bias_hh_attr=False, **more)
        yield "LSTM", [2, 3], dict(weight_hh_attr=False, **more)
    yield "LSTM", [2, 4, 2], {"proj_size": 3, "direction": "bidirect"}
    yield "LSTM", [2, 4, 2], {"proj_size": 3, "weight_hh_attr": False}
    yield "LSTMCell", [2, 4], {"proj_size": 4}
    yield "MultiHeadAttention", [4, 2], {"bias_attr": False}
    yield "MultiHeadAttention", [4, 3], {}
    yield "TransformerEncoderLayer", [4, 2, 8], {"bias_attr": [False, None]}
    yield "TransformerEncoderLayer", [4, 2, 8], {"bias_attr": [False]}
    yield "TransformerDecoderLayer", [4, 2, 8], {"weight_attr": False, "bias_attr": [False, None, False]}
    yield "Transformer", [4, 2, 1, 2, 8], {"bias_attr": [False, None]}
    yield "Transformer", [4, 2, 2, 1, 8], {"weight_attr": [False]}
    yield "HSigmoidLoss", [3, 4], {"is_custom": True}
    yield "HSigmoidLoss", [3, 1], {}
    yield "Embedding", [3, 4], {"padding_idx": -3}
    yield "Embedding", [3, 4], {"padding_idx": 3}
    yield "Embedding", [0, 4], {}
    yield "Linear", [2, 3], {"weight_attr": False}
    yield "PReLU", [3], {"weight_attr": False}
    yield "Conv2D", [3, 4, 2], {"groups": 2}
    yield "Conv2D", [4, 4, [2, 2, 2]], {}
    yield "Conv2D", [2, 2, 1], {"weight_attr": False}
    yield "Conv2DTranspose", [4, 6, 2], {"groups": 3}
    yield "Conv1D", [4, 4, 3], {"padding_mode": "nope"}
    yield "AdaptiveLogSoftmaxWithLoss", [8, 12, [4, 8]], {"head_bias": True, "bias_attr": False}
    yield "AdaptiveLogSoftmaxWithLoss", [8, 12, [4, 4]], {}
    yield "AdaptiveLogSoftmaxWithLoss", [8, 12, [4, 12]], {}


def attributes():
    rows = []
    for kind, args, options in attribute_cases():
        if not hasattr(nn, kind):
            continue
        row = {"class": kind, "args": args, "options": options}
        keywords = {k: paddle.ParamAttr(**v["attr"]) if isinstance(v, dict) else v for k, v in options.items()}
        with paddle.utils.unique_name.guard():
            try:
                row["state"] = []
                for key, p in getattr(nn, kind)(*args, **keywords).state_dict().items():
                    values = np.asarray(p.numpy()).reshape(-1)
                    constant = float(values[0]) if (values == values[0]).all() and len(values) > 1 else None
                    shape = [int(n) for n in p.shape]
                    row["state"].append([key, p.name, shape, dtype_of(p), bool(p.trainable), constant])
            except Exception as e:
                del row["state"]
                row["error"] = "%s: %s" % (type(e).__name__, str(e)[:120])
        rows.append(row)
    write("attributes.json", "state_dict() of layers whose attributes are switched off or freeze: key, name, shape, "
          "dtype, trainable, the value where all are equal", cases=rows)


INITIALIZERS = [
    ("Uniform", [-0.5, 0.75], [7, 3]), ("Normal", [0.25, 2.0], [7, 3]), ("TruncatedNormal", [0.5, 2.0], [7, 3]),
    ("TruncatedNormal", [0.5, 2.0, -1.0, 3.0], [7, 3]), ("XavierUniform", [], [3, 2, 3]),
    ("XavierUniform", [5, None, 2.0], [3, 2, 3]), ("XavierNormal", [], [4, 3]), ("XavierNormal", [None, 7, 0.5], [4]),
    ("KaimingUniform", [], [3, 2, 2]), ("KaimingUniform", [None, 0.3, "leaky_relu"], [5, 2]), ("KaimingNormal", [], []),
    ("KaimingNormal", [6, 0.0, "tanh"], [5, 3]), ("KaimingNormal", [None, 0.0, "selu", "fan_out"], [5, 3]),
    ("Orthogonal", [], [5, 3]), ("Orthogonal", [1.5], [2, 3, 2]), ("Dirac", [], [4, 3, 3]), ("Dirac", [2], [4, 3, 2, 3]),
    ("Bilinear", [], [2, 1, 4, 4]), ("Bilinear", [], [1, 2, 3, 3]), ("Constant", [0.1], [2, 3]),
    ("Assign", [[[1, 2], [3, 4.5]]], [2, 2]),
]


def initializers():
    rows = []
    for kind, args, shape in INITIALIZERS:
        for dtype in ("float32", "float64", "bfloat16", "float16"):
            with paddle.utils.unique_name.guard():
                paddle.seed(1234)
                try:
                    p = paddle.create_parameter(shape, dtype, default_initializer=getattr(initializer, kind)(*args))
                except Exception:
                    continue  # There is no kernel of this dtype.
                if dtype_of(p) != dtype:
                    continue  # Bilinear forgets the dtype in 3.3.
                values = [float(x) for x in np.asarray(p.numpy()).reshape(-1)]
            rows.append({"initializer": kind, "args": args, "shape": shape, "dtype": dtype, "values": values})
    words = ["sigmoid", "linear", "conv2d", "conv_transpose1d", "conv3d_transpose", "tanh", "relu", "leaky_relu", "selu"]
    paddle.seed(7)
    normal = paddle.create_parameter([64], "float32", default_initializer=initializer.Normal(0.3, 1.7)).numpy().tolist()
    gains = {word: initializer.calculate_gain(word) for word in words}
    gains["leaky_relu 0.5"] = initializer.calculate_gain("leaky_relu", 0.5)
    write("initializers.json", "After paddle.seed(1234), paddle.create_parameter(shape, dtype, "
          "default_initializer=initializer(*args)). bfloat16 as 16-bit patterns. normal: float32 [64] by "
          "Normal(0.3, 1.7) after seed(7).", gains=gains, cases=rows, normal=normal)


attributes()
if paddle.__version__ >= "3.3":
    initializers()
