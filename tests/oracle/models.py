"""Models: trained and exported here, recovered and edited there, loaded and run here.

    models.py FOLDER make SEED      trains a network, exports it, says its outputs, those of its export among them
    models.py FOLDER check SEED     sets what was recovered into a new network; runs the models that were written
"""
import glob, os, sys
import numpy as np
import paddle
from say import VERSION, array, finish



def data(seed):
    r = np.random.RandomState(seed)
    return r.rand(3, 8).astype("float32"), r.rand(3, 2).astype("float32")


# ---- 2.0 and later: a Layer
def network():
    nn = paddle.nn

    class Net(nn.Layer):
        def __init__(self):
            super(Net, self).__init__()
            self.body = nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1D(6), nn.ReLU(), nn.Linear(6, 4))
            self.head = nn.Linear(4, 2, bias_attr=False)
            self.scale = self.create_parameter([1], default_initializer=nn.initializer.Constant(0.5))

        def forward(self, x):
            return self.head(self.body(x)) * self.scale

    return Net()


def make_layer(folder, seed):
    paddle.seed(seed)
    x, y = data(seed)
    net = network()
    opt = paddle.optimizer.Adam(learning_rate=0.05, parameters=net.parameters())
    for _ in range(3):
        loss = paddle.nn.functional.mse_loss(net(paddle.to_tensor(x)), paddle.to_tensor(y))
        loss.backward()
        opt.step()
        opt.clear_grad()
    net.eval()
    out = net(paddle.to_tensor(x)).numpy()
    spec = [paddle.static.InputSpec([None, 8], "float32", name="x")]
    paddle.jit.save(paddle.jit.to_static(net, input_spec=spec), os.path.join(folder, "net"))
    return {"output": array(out)}


def check_layer(folder, seed):
    paddle.seed(seed + 1)
    x, _ = data(seed)
    net = network()
    state = paddle.load(os.path.join(folder, "recovered.pdparams"))
    if set(state) == set(net.state_dict()):
        net.set_state_dict(state)
    else:
        # Nobody knows the structured names: the variables' names count, and this process has made its layers in the same order.
        net.set_state_dict(state, use_structured_name=False)
    net.eval()
    outputs = {"set_state_dict": array(net(paddle.to_tensor(x)).numpy())}
    for prefix in ["saved", "relaid"]:
        if glob.glob(os.path.join(folder, prefix + ".*")):
            layer = paddle.jit.load(os.path.join(folder, prefix))
            layer.eval()
            outputs["jit.load " + prefix] = array(layer(paddle.to_tensor(x)).numpy())
    return outputs


# ---- programs: all versions
def make_program(folder, seed):
    paddle.enable_static() if VERSION >= (2, 0) else None
    x, _ = data(seed)
    if VERSION < (2, 0):
        import paddle.fluid as fluid
        main, start = fluid.Program(), fluid.Program()
        main.random_seed = start.random_seed = seed + 1
        with fluid.program_guard(main, start):
            v = fluid.data("x", [None, 8], "float32")
            h = fluid.layers.fc(v, 5, act="relu")
            a, b = fluid.layers.fc(h, 3), fluid.layers.reduce_sum(h)
        exe = fluid.Executor(fluid.CPUPlace())
        exe.run(start)
        fluid.io.save_inference_model(os.path.join(folder, "folder"), ["x"], [a, b], exe, main)
        out = exe.run(main, feed={"x": x}, fetch_list=[a, b])
        return {"outputs": [array(o) for o in out]}
    main, start = paddle.static.Program(), paddle.static.Program()
    paddle.seed(seed)
    with paddle.static.program_guard(main, start):
        v = paddle.static.data("x", [None, 8], "float32")
        h = paddle.nn.functional.relu(paddle.static.nn.fc(v, 5))
        a, b = paddle.static.nn.fc(h, 3), paddle.sum(h)
        exe = paddle.static.Executor(paddle.CPUPlace())
        exe.run(start)
        paddle.static.save_inference_model(os.path.join(folder, "program"), [v], [a, b], exe, program=main)
        out = exe.run(main, feed={"x": x}, fetch_list=[a, b])
    paddle.disable_static()
    return {"outputs": [array(o) for o in out]}


def check_program(folder, seed):
    x, _ = data(seed)
    found = {}
    if VERSION < (2, 0):
        import paddle.fluid as fluid
        exe = fluid.Executor(fluid.CPUPlace())
        for name in ["again", "first"]:
            with fluid.scope_guard(fluid.Scope()):
                program, feeds, fetches = fluid.io.load_inference_model(os.path.join(folder, name), exe)
                found[name] = [array(o) for o in exe.run(program, feed={feeds[0]: x}, fetch_list=fetches)]
        return found
    paddle.enable_static()
    exe = paddle.static.Executor(paddle.CPUPlace())
    core = paddle.base.core if VERSION >= (2, 6) else paddle.fluid.core
    for name in ["again", "first", "renamed"]:
        with paddle.static.scope_guard(core.Scope()):
            program, feeds, fetches = paddle.static.load_inference_model(os.path.join(folder, name), exe)
            found[name] = [array(o) for o in exe.run(program, feed={feeds[0]: x}, fetch_list=fetches)]
    return found


folder, what, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
if what == "make":
    said = {"program": make_program(folder, seed)}
    if VERSION >= (2, 0):
        said["layer"] = make_layer(folder, seed)
else:
    said = {"layer": check_layer(folder, seed) if VERSION >= (2, 0) else {}, "program": check_program(folder, seed)}
finish(folder, said)
