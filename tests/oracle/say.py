"""What the scripts of this folder share: values as data, in the form of the fixtures' expect.json, and answers in said.json.

Runs with Python 3.7 and Paddle 1.8 and later.
"""
import collections, hashlib, json, os, sys
import numpy as np
import paddle

VERSION = tuple(int(x) for x in paddle.__version__.split(".")[:2])
if VERSION < (2, 0):
    import paddle.fluid as fluid
core = paddle.base.core if VERSION >= (2, 6) else paddle.fluid.core
TYPES = {"FP16": "float16", "FP32": "float32", "FP64": "float64", "BF16": "bfloat16", "BOOL": "bool", "INT8": "int8", "INT16": "int16",
         "INT32": "int32", "INT64": "int64", "UINT8": "uint8", "COMPLEX64": "complex64", "COMPLEX128": "complex128"}
DENSE = getattr(core, "DenseTensor", None) or core.LoDTensor


def number(x):
    x = float(x)
    if x != x:
        return "nan"
    if x in (float("inf"), -float("inf")):
        return "inf" if x > 0 else "-inf"
    return "-0.0" if x == 0 and str(x)[0] == "-" else x


def array(a, dtype=None):
    a = np.ascontiguousarray(a).reshape(np.shape(a))
    return {"dtype": dtype or a.dtype.name, "shape": list(a.shape), "sha256": hashlib.sha256(a.tobytes()).hexdigest()}


def kind_of(dtype):
    word = str(dtype).split(".")[-1]
    return TYPES.get(word, word)


def say(v):
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, np.ndarray):
        return {"ndarray": array(v)}
    if isinstance(v, np.generic):
        return {"scalar": {"dtype": v.dtype.name}}
    if isinstance(v, DENSE) and not hasattr(v, "stop_gradient"):
        return {"DenseTensor": dict(array(np.array(v), kind_of(v._dtype())), lod=v.lod())}
    if type(v).__name__ == "SelectedRows":
        return {"SelectedRows": {"rows": list(v.rows()), "height": v.height(), "value": array(np.array(v.get_tensor()))}}
    if type(v).__name__ in ("Tensor", "EagerParamBase", "ParamBase", "VarBase"):
        made_up = v.name.startswith(("generated_tensor_", "eager_tmp_"))
        return {"Tensor": dict(array(v.numpy(), kind_of(v.dtype)), name=None if made_up else v.name)}
    if isinstance(v, int):
        return {"int": str(v)}
    if isinstance(v, float):
        return {"float": number(v)}
    if isinstance(v, complex):
        return {"complex": [number(v.real), number(v.imag)]}
    if isinstance(v, dict):
        tag = "OrderedDict" if isinstance(v, collections.OrderedDict) else "dict"
        return {tag: [[say(k), say(x)] for k, x in v.items()]}
    if isinstance(v, (list, tuple)):
        return {"tuple" if isinstance(v, tuple) else "list": [say(x) for x in v]}
    if isinstance(v, set):
        return {"set": [say(x) for x in v]}
    return {"object": type(v).__name__}


def answer(ask):
    """{"result": value} of a call, or {"error": text}."""
    try:
        return {"result": say(ask())}
    except Exception as e:
        return {"error": "%s: %s" % (type(e).__name__, str(e)[:300])}


def leave(folder, **answers):
    """Write answers to said.json."""
    with open(os.path.join(folder, "said.json"), "w") as f:
        json.dump(dict(answers, paddle=paddle.__version__), f)


def finish(folder, files, notes=()):
    """Leave the answers, by file name."""
    leave(folder, numpy=np.__version__, files=files, notes=list(notes))


def finish_rows(since, main):
    """Leave the rows that main(*arguments) returns; none for Paddles before the version `since`, which are not asked."""
    leave(sys.argv[1], rows=main(*sys.argv[1:]) if VERSION >= since else None)


def random_array(r, dtype, min_rank=0):
    """Any bits in any shape, axes of length 0 among them; NaNs and subnormals come by themselves."""
    rank = r.randint(min_rank if VERSION >= (2, 5) else max(1, min_rank), 4)
    shape = [r.choice([0, 1, 2, 3, 5]) if r.random() < 0.2 else r.randint(1, 5) for _ in range(rank)]
    n = int(np.prod(shape)) if shape else 1
    bits = np.frombuffer(bytes(bytearray(r.getrandbits(8) for _ in range(n * np.dtype(dtype).itemsize))), "uint8")
    if dtype == "bool":
        bits = bits & 1
    return bits.view(dtype).reshape(shape).copy()
