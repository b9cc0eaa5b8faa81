"""Networks of Paddle 1.x in fluid's words: see networks.py."""
import collections
import numpy as np
import paddle.fluid as fluid

L = fluid.layers
Network = collections.namedtuple("Network", "build feeds warm is_static save")
NETWORKS, TRAINING = collections.OrderedDict(), collections.OrderedDict()


def static(name, feeds, params_filename=None, model_filename=None):
    """Registers a function that makes a program: it returns names of inputs, and outputs."""
    def add(build):
        def save(folder, seed, exe):
            main, start = fluid.Program(), fluid.Program()
            main.random_seed = start.random_seed = seed + 1
            with fluid.program_guard(main, start), fluid.scope_guard(fluid.Scope()):
                ins, outs = build()
                exe.run(start)
                kw = {key: value for key, value in [("model_filename", model_filename), ("params_filename", params_filename)] if value}
                fluid.io.save_inference_model(folder, ins, outs, exe, main, **kw)
            return kw
        NETWORKS[name] = Network(None, feeds, False, True, save)
        return build
    return add


def image(*shape):
    return lambda r: {"image": r.rand(*shape).astype("float32")}


def words(r):
    return {"words": (r.randint(0, 50, (9, 1)).astype("int64"), [4, 3, 2])}


def conv_bn(x, channels, k=3, stride=1, groups=1, act="relu", dilation=1):
    x = L.conv2d(x, channels, k, stride, (k - 1) // 2 * dilation, dilation, groups, bias_attr=False)
    return L.batch_norm(x, act=act)


@static("crnn", image(2, 1, 16, 32), "params", "model")
def crnn():
    """Text recognition: columns of the image as a sequence, recurrent both ways, the best path of CTC."""
    x = conv_bn(fluid.data("image", [None, 1, 16, None], "float32"), 8, stride=2)
    x = L.pool2d(x, 2, pool_stride=2, ceil_mode=True)
    x = L.im2sequence(x, filter_size=[4, 1], stride=[1, 1])
    hidden = [L.dynamic_gru(L.fc(x, 24), 8, is_reverse=back) for back in (False, True)]
    lstm, _ = L.dynamic_lstm(L.fc(hidden, 32), 32, use_peepholes=True)
    out = L.fc([lstm] + hidden, 12)
    return ["image"], [out, L.ctc_greedy_decoder(out, 11)]


@static("tagger", words)
def lac():
    """Lexical analysis: words of sentences of different lengths, two recurrent layers both ways, conditional random field."""
    x = L.embedding(L.data("words", [1], dtype="int64", lod_level=1), [50, 16], param_attr=fluid.ParamAttr("word_emb"))
    for layer in range(2):
        x = L.concat([L.dynamic_gru(L.fc(x, 24), 8, is_reverse=back) for back in (False, True)], axis=1)
    emission = L.fc(x, 6)
    crf = fluid.ParamAttr("crfw", initializer=fluid.initializer.Normal(0.0, 0.5, seed=3))
    target = L.data("target", [1], dtype="int64", lod_level=1)
    L.linear_chain_crf(emission, target, param_attr=crf)
    return ["words"], [L.crf_decoding(emission, param_attr=crf), emission]


@static("detection", image(1, 3, 32, 32), "__params__")
def db():
    """Text detection: squeeze and excitation, nearest interpolation, transposed convolutions."""
    x = conv_bn(fluid.data("image", [None, 3, None, None], "float32"), 8, stride=2, act="hard_swish")
    gate = L.hard_sigmoid(L.conv2d(L.conv2d(L.pool2d(x, pool_type="avg", global_pooling=True), 2, 1, act="relu"), 8, 1))
    x = L.elementwise_mul(x, gate)
    y = conv_bn(conv_bn(x, 8, stride=2, groups=8), 8, 1, act="relu6")
    y = L.resize_nearest(y, scale=2.0)
    x = L.conv2d_transpose(conv_bn(L.concat([x, y], axis=1), 8), 4, filter_size=2, stride=2, act="relu")
    return ["image"], [L.sigmoid(L.conv2d(x, 1, 1))]


@static("segmentation", image(1, 3, 24, 24), "__params__")
def deeplab():
    """Segmentation: dilated convolutions, bilinear interpolation to the image's shape, labels."""
    image = fluid.data("image", [None, 3, None, None], "float32")
    low = conv_bn(image, 8, stride=2)
    high = conv_bn(conv_bn(low, 12, stride=2), 12, dilation=2)
    x = L.concat([conv_bn(high, 6, dilation=d) for d in (1, 2)], axis=1)
    x = L.resize_bilinear(L.dropout(x, 0.1), out_shape=L.slice(L.shape(low), [0], [2], [4]))
    x = L.conv2d(L.concat([x, low], axis=1), 4, 1)
    x = L.resize_bilinear(x, out_shape=L.slice(L.shape(image), [0], [2], [4]), align_corners=False)
    return ["image"], [L.softmax(L.transpose(x, [0, 2, 3, 1])), L.argmax(x, axis=1)]


@static("bert", lambda r: {"ids": r.randint(0, 60, (2, 7)).astype("int64")})
def ernie():
    """A transformer of fluid's days."""
    ids = fluid.data("ids", [None, 7], "int64")
    x = L.layer_norm(fluid.embedding(ids, [60, 16]), begin_norm_axis=2)
    q, k, v = [L.transpose(L.reshape(L.fc(x, 16, num_flatten_dims=2), [0, 0, 2, 8]), [0, 2, 1, 3]) for _ in range(3)]
    weights = L.dropout(L.softmax(L.matmul(q, k, transpose_y=True, alpha=8 ** -0.5)), 0.1,
                        dropout_implementation="upscale_in_train")
    y = L.reshape(L.transpose(L.matmul(weights, v), [0, 2, 1, 3]), [0, 0, 16])
    x = L.layer_norm(x + L.fc(y, 16, num_flatten_dims=2), begin_norm_axis=2)
    x = L.fc(L.fc(x, 32, num_flatten_dims=2, act="gelu"), 16, num_flatten_dims=2) + x
    return ["ids"], [x, L.fc(L.slice(x, [1], [0], [1]), 3, act="tanh")]


@static("loops", lambda r: {"x": r.rand(3, 4).astype("float32")})
def loops():
    """while with an array of tensors and a block inside its block; cond; a static recurrent network."""
    x = fluid.data("x", [3, 4], "float32")
    i, n = L.fill_constant([1], "int64", 0), L.fill_constant([1], "int64", 3)
    found = L.array_write(x, i)
    running = L.less_than(i, n)
    loop = L.While(running)
    with loop.block():
        y = L.fc(L.array_read(found, i), 4, act="tanh")
        big = L.cond(L.reduce_mean(y) > 0.1, lambda: L.scale(y, 2.0), lambda: L.scale(y, 0.5))
        L.increment(i, 1, in_place=True)
        L.array_write(big, i, array=found)
        L.less_than(i, n, cond=running)
    last = L.array_read(found, n)
    steps = L.reshape(last, [3, 1, 4])
    rnn = L.StaticRNN()
    with rnn.step():
        step = rnn.step_input(steps)
        memory = rnn.memory(shape=[-1, 4], batch_ref=step)
        hidden = L.fc([step, memory], 4, act="relu")
        rnn.update_memory(memory, hidden)
        rnn.step_output(hidden)
    return ["x"], [last, rnn(), L.array_length(found)]


@static("rows", words)
def rows():
    """Sequences of different lengths: a dynamic recurrent network, pooling, a sparse embedding."""
    x = L.embedding(L.data("words", [1], dtype="int64", lod_level=1), [50, 6], is_sparse=True)
    rnn = L.DynamicRNN()
    with rnn.block():
        step = rnn.step_input(x)
        memory = rnn.memory(shape=[6], value=0.5)
        hidden = L.fc([step, memory], 6, act="tanh")
        rnn.update_memory(memory, hidden)
        rnn.output(hidden)
    out = rnn()
    return ["words"], [out, L.sequence_pool(out, "max"), L.sequence_last_step(out), L.sequence_softmax(L.fc(x, 1))]


@static("boxes", lambda r: {"x": r.rand(2, 16, 8).astype("float32")})
def boxes():
    """The end of a detector: boxes that overlap least, of every class, taken as other sequences, and the classes as vectors."""
    x = fluid.data("x", [2, 16, 8], "float32")
    corner, size = [L.sigmoid(L.fc(x, 2, num_flatten_dims=2)) for _ in range(2)]
    scores = L.transpose(L.softmax(L.scale(L.fc(x, 3, num_flatten_dims=2), 4.0)), [0, 2, 1])
    kept = L.multiclass_nms(L.concat([corner, corner + size], axis=2), scores, 0.1, 12, 5, nms_threshold=0.4, background_label=-1)
    ends = L.lod_reset(kept, target_lod=[0, 1, 10])
    classes = L.one_hot(L.cast(L.slice(kept, [1], [0], [1]), "int64"), 3)
    return ["x"], [ends, L.sequence_pool(ends, "max"), classes]


@static("table", lambda r: {"x": r.rand(2, 3).astype("float32")})
def table():
    """A variable of SelectedRows, in a file of its own."""
    x, block = fluid.data("x", [None, 3], "float32"), fluid.default_main_program().global_block()
    rows = block.create_var(name="rows", type=fluid.core.VarDesc.VarType.SELECTED_ROWS, dtype="float32", shape=[5, 3], persistable=True)
    dense = block.create_var(name="dense", dtype="float32", shape=[2, 3])
    block.append_op(type="get_tensor_from_selected_rows", inputs={"X": [rows]}, outputs={"Out": [dense]})
    held = fluid.global_scope().var("rows").get_selected_rows()
    held.set_rows([1, 4])
    held.set_height(5)
    held.get_tensor().set(np.arange(6).reshape(2, 3).astype("float32"), fluid.CPUPlace())
    return ["x"], [L.fc(x, 3) + dense, L.reduce_sum(dense)]


@static("quantised", image(2, 3, 8, 8), "__params__")
def quantised():
    """Simulated quantisation: scales beside the weights."""
    x = L.data("image", [3, 8, 8], dtype="float32")
    block = fluid.default_main_program().global_block()

    def quantise(v):
        out = block.create_var(name=v.name + ".quantized", dtype=v.dtype, shape=v.shape)
        scale = L.create_parameter([1], "float32", name=v.name + ".scale", default_initializer=fluid.initializer.Constant(1.0))
        block.append_op(type="fake_quantize_dequantize_moving_average_abs_max", inputs={"X": [v], "InScale": [scale]},
                        outputs={"Out": [out], "OutScale": [scale]}, attrs={"bit_length": 8, "moving_rate": 0.9, "is_test": True})
        return out

    x = conv_bn(quantise(x), 4)
    return ["image"], [L.fc(quantise(x), 5)]


def trained(make_optimizer):
    def build(seed):
        main, start = fluid.Program(), fluid.Program()
        main.random_seed = start.random_seed = seed + 1
        with fluid.program_guard(main, start):
            x, y = fluid.data("x", [None, 6], "float32"), fluid.data("y", [None, 2], "float32")
            pred = L.fc(L.batch_norm(L.fc(x, 5, act="relu")), 2)
            loss = L.mean(L.square(pred - y))
            optimizer = make_optimizer()
            optimizer.minimize(loss) if hasattr(optimizer, "minimize") else optimizer(loss)
        return main, start, loss, x, pred
    return build


TRAINING["adam"] = trained(lambda: fluid.optimizer.Adam(0.05))
TRAINING["momentum"] = trained(lambda: fluid.optimizer.Momentum(L.exponential_decay(0.05, 10, 0.9), 0.8))


def averaged(loss):
    """Adadelta does not use its learning rate; averages of the parameters count their steps."""
    fluid.optimizer.Adadelta(0.05).minimize(loss)
    fluid.optimizer.ExponentialMovingAverage(0.9).update()


TRAINING["lookahead"] = trained(lambda: fluid.optimizer.LookaheadOptimizer(fluid.optimizer.SGD(0.05), alpha=0.5, k=2))
TRAINING["averaged"] = trained(lambda: averaged)
