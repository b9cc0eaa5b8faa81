"""Networks of the kinds that people export: text recognition, detection, segmentation, lexical analysis, transformers, loops, quantised
and mixed numbers. Built and exported here, read and written again there, run here.

    networks.py FOLDER make SEED [names]    exports each network to FOLDER/<name>/m; says its outputs
    networks.py FOLDER check SEED           runs what FOLDER/wanted.json lists

A network that this version cannot build is said in the notes, with the reason.
"""
import json, os, sys
import numpy as np
import paddle
from say import VERSION, array, core, finish

IS_1X = VERSION < (2, 0)
if IS_1X:
    import paddle.fluid as fluid
    from networks_1x import NETWORKS, TRAINING
    executor = fluid.Executor(fluid.CPUPlace())
    unique_name = fluid.unique_name
else:
    from networks_2x import NETWORKS, TRAINING, Methods
    executor = paddle.static.Executor(paddle.CPUPlace())
    unique_name = paddle.utils.unique_name


def feeds_of(name, seed):
    """Values to feed, by name: arrays, or (array, lengths of sequences)."""
    r = np.random.RandomState(seed)
    if name in TRAINING:
        return {"x": r.rand(4, 6).astype("float32"), "y": r.rand(4, 2).astype("float32")}
    return NETWORKS[name].feeds(r)


def tensor(value):
    return fluid.create_lod_tensor(value[0], [value[1]], fluid.CPUPlace()) if isinstance(value, tuple) else value


def run(path, seed, name, names={}, fetch=None, negated=None):
    """Load an inference model and run it: its outputs, or those named in fetch; the parameter negated has its values with another sign."""
    io, scope = fluid.io if IS_1X else paddle.static, core.Scope()
    with (fluid if IS_1X else paddle.static).scope_guard(scope):
        if (2, 0) <= VERSION < (2, 5) and names:
            # The newer function finds no parameters that lie in files of their own.
            io = paddle.fluid.io
        program, feeds, fetches = io.load_inference_model(path, executor, **names)
        if fetch:
            block = program.global_block()
            for i in reversed(range(len(block.ops))):
                if block.ops[i].type == "fetch":
                    block._remove_op(i)
            fetches = [block.var(f) for f in fetch]
        if negated:
            held = scope.find_var(negated).get_tensor()
            held.set(-np.array(held), core.CPUPlace())
        values = feeds_of(name, seed)
        outs = executor.run(program, feed={f: tensor(values[f]) for f in feeds}, fetch_list=fetches, return_numpy=False)
        return [dict(array(np.array(o)), lod=o.lod()) for o in outs]


def keep(place, name, seed, names):
    """Leave feeds and outputs in files, for Paddles that make other numbers in the last places."""
    kept = {}
    for key, value in feeds_of(name, seed).items():
        kept["feed/" + key] = value[0] if isinstance(value, tuple) else value
        if isinstance(value, tuple):
            kept["lengths/" + key] = np.array(value[1])
    with fluid.scope_guard(core.Scope()):
        program, feeds, fetches = fluid.io.load_inference_model(place, executor, **names)
        values = feeds_of(name, seed)
        outs = executor.run(program, feed={f: tensor(values[f]) for f in feeds}, fetch_list=fetches, return_numpy=False)
        for i, out in enumerate(outs):
            kept["out/%d" % i] = np.array(out)
    np.savez(place + ".npz", **kept)


# ---- 2.0 and later: Layers through jit.save
def make_layer(name, folder, seed):
    paddle.disable_static()
    with unique_name.guard():
        paddle.seed(seed)
        net, spec = NETWORKS[name].build()
        values = feeds_of(name, seed)
        inputs = [paddle.to_tensor(values[s.name]) for s in spec]
        net.train()
        if NETWORKS[name].warm:
            net(*inputs)
        net.eval()
        outs = net(*inputs)
        options = {"full_graph": True} if VERSION >= (2, 6) else {}
        if VERSION >= (2, 1):
            net = paddle.jit.to_static(net, input_spec=spec, **options)
            paddle.jit.save(net, os.path.join(folder, "m"))
            if (2, 4) <= VERSION < (3, 0):
                paddle.jit.save(net, os.path.join(folder, "whole"), clip_extra=False)
        else:
            export(net, NETWORKS[name].build, os.path.join(folder, "m"))
    paddle.enable_static()
    return {"layer": arrays(outs)}


def arrays(outs):
    return [array(o.numpy()) for o in (outs if isinstance(outs, (list, tuple)) else [outs])]


def export(net, build, prefix):
    """The Layer called in a static program: 2.0 cannot trace the Python of today."""
    values = {value.name: value.numpy() for value in net.state_dict().values()}
    paddle.enable_static()
    main, start = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(main, start), unique_name.guard(), paddle.static.scope_guard(core.Scope()):
        again, spec = build()
        again.eval()
        ins = [paddle.static.data(s.name, s.shape, s.dtype) for s in spec]
        outs = again(*ins)
        executor.run(start)
        paddle.static.set_program_state(main, values)
        paddle.static.save_inference_model(prefix, ins, list(outs) if isinstance(outs, (list, tuple)) else [outs], executor, program=main)


def check_layer(name, path, seed):
    """The network made anew, with the weights at `path`."""
    paddle.disable_static()
    with unique_name.guard():
        paddle.seed(seed + 1)
        net, spec = NETWORKS[name].build()
        state = paddle.load(path)
        # Some layers hold a parameter under several keys; a file has one of them. Without structured names the variables' names count.
        net.set_state_dict(state, use_structured_name=bool(set(state) & set(net.state_dict())))
        net.eval()
        values = feeds_of(name, seed)
        outs = net(*[paddle.to_tensor(values[s.name]) for s in spec])
    paddle.enable_static()
    return arrays(outs)


# ---- training programs
def train(program, start, loss, seed, load):
    """Two steps from what was loaded: the loss before each."""
    static = fluid if IS_1X else paddle.static
    with static.scope_guard(core.Scope()):
        executor.run(start)
        static.load(program, load, executor)
        feed = feeds_of("adam", seed)
        return [array(np.array(executor.run(program, feed=feed, fetch_list=[loss])[0])) for _ in range(2)]


def make_training(name, folder, seed):
    static = fluid if IS_1X else paddle.static
    with unique_name.guard():
        main, start, loss, x, pred = TRAINING[name](seed)
        with static.scope_guard(core.Scope()):
            executor.run(start)
            executor.run(main, feed=feeds_of(name, seed), fetch_list=[loss])
            static.save(main, os.path.join(folder, "m"))
            if IS_1X:
                fluid.io.save_inference_model(os.path.join(folder, "infer"), ["x"], [pred], executor, main)
            else:
                paddle.static.save_inference_model(os.path.join(folder, "infer"), [x], [pred], executor, program=main)
        losses = train(main, start, loss, seed, os.path.join(folder, "m"))
    return {"losses": losses, "outputs": run(os.path.join(folder, "infer"), seed, name)}


def check_training(name, path, seed):
    with unique_name.guard():
        main, start, loss, x, pred = TRAINING[name](seed)
        return train(main, start, loss, seed, path)


# ---- several methods
def make_methods(folder, seed):
    paddle.disable_static()
    with unique_name.guard():
        paddle.seed(seed)
        net = Methods()
        net.eval()
        paddle.jit.save(net, os.path.join(folder, "m"))
    paddle.enable_static()
    return {"kind": "methods", "outputs": check_methods("methods", os.path.join(folder, "m"), seed)}


def check_methods(name, path, seed):
    paddle.disable_static()
    net = paddle.jit.load(path)
    net.eval()
    x = paddle.to_tensor(np.random.RandomState(seed).rand(3, 4).astype("float32"))
    outs = arrays([net(x), net.encode(x), net.other(x)])
    paddle.enable_static()
    return outs


def make(folder, seed, names):
    said, notes = {}, []
    # 3.x counts layers through all programs of a process: training comes first, here and in check.
    for name in list(TRAINING) + list(NETWORKS):
        if names and name not in names:
            continue
        place = os.path.join(folder, name)
        os.makedirs(place)
        try:
            if name in TRAINING:
                said[name] = dict(make_training(name, place, seed), kind="training")
            elif IS_1X or NETWORKS[name].is_static:
                with unique_name.guard():
                    kw = NETWORKS[name].save(place, seed, executor)
                where = place if IS_1X else os.path.join(place, "m")
                said[name] = {"kind": "program", "names": kw, "outputs": run(where, seed, name, kw)}
                if IS_1X:
                    keep(place, name, seed, kw)
            else:
                said[name] = dict(make_layer(name, place, seed), kind="layer")
                said[name]["outputs"] = run(os.path.join(place, "m"), seed, name)
        except Exception as e:
            paddle.enable_static() if not IS_1X else None
            if os.environ.get("OARLOCK_TRACE"):
                import traceback
                traceback.print_exc()
            notes.append("%s: %s: %s" % (name, type(e).__name__, str(e).strip().split("\n")[-1][:200]))
    # 2.6 stacks the names of methods, and cannot load what it wrote.
    if not IS_1X and VERSION >= (2, 4) and VERSION != (2, 6) and not names:
        os.makedirs(os.path.join(folder, "methods"))
        said["methods"] = make_methods(os.path.join(folder, "methods"), seed)
    finish(folder, said, notes)


def check(folder, seed):
    with open(os.path.join(folder, "wanted.json")) as f:
        wanted = json.load(f)
    said = {}
    for item in sorted(wanted, key=lambda item: item["how"] != "training"):
        how = {"run": run, "layer": check_layer, "training": check_training, "methods": None if IS_1X else check_methods}[item["how"]]
        try:
            if how is run:
                said[item["id"]] = run(item["path"], seed, item["name"], item["names"], item.get("fetch"), item.get("negated"))
            else:
                said[item["id"]] = how(item["name"], item["path"], seed)
        except Exception as e:
            if os.environ.get("OARLOCK_TRACE"):
                import traceback
                traceback.print_exc()
            said[item["id"]] = {"error": "%s: %s" % (type(e).__name__, str(e).strip().split("\n")[-1][:300])}
    finish(folder, said)


if __name__ == "__main__":
    folder, what, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if not IS_1X:
        paddle.enable_static()
    make(folder, seed, sys.argv[4:]) if what == "make" else check(folder, seed)
