"""Networks of Paddle 2.0 and later: see networks.py."""
import collections
import numpy as np
import paddle
from say import VERSION

nn, F = paddle.nn, paddle.nn.functional
Network = collections.namedtuple("Network", "build feeds warm is_static save")
NETWORKS, TRAINING = collections.OrderedDict(), collections.OrderedDict()


def spec(name, shape, dtype="float32"):
    return paddle.static.InputSpec(shape, dtype, name=name)


def image(*shape):
    return lambda r: {"image": r.rand(*shape).astype("float32")}


def layer(name, feeds, inputs, since=(2, 0), warm=True):
    """Registers a Layer class."""
    def add(cls):
        if VERSION >= since:
            NETWORKS[name] = Network(lambda: (cls(), [spec(*i) for i in inputs]), feeds, warm, False, None)
        return cls
    return add


def static(name, feeds, since=(2, 0)):
    """Registers a function that makes a static program: it returns inputs and outputs."""
    def add(build):
        def save(folder, seed, exe):
            main, start = paddle.static.Program(), paddle.static.Program()
            core = paddle.base.core if VERSION >= (2, 6) else paddle.fluid.core
            with paddle.static.program_guard(main, start), paddle.static.scope_guard(core.Scope()):
                paddle.seed(seed)
                ins, outs = build()
                exe.run(start)
                paddle.static.save_inference_model(folder + "/m", ins, outs, exe, program=main)
            return {}
        if VERSION >= since:
            NETWORKS[name] = Network(None, feeds, False, True, save)
        return build
    return add


class ConvBN(nn.Layer):
    def __init__(self, cin, cout, k=3, stride=1, groups=1, act="relu", dilation=1):
        super(ConvBN, self).__init__()
        pad = (k - 1) // 2 * dilation
        self.conv = nn.Conv2D(cin, cout, k, stride, pad, dilation, groups, bias_attr=False)
        self.bn = nn.BatchNorm2D(cout)
        self.act = {"relu": nn.ReLU(), "hardswish": nn.Hardswish(), None: nn.Identity() if hasattr(nn, "Identity") else nn.Sequential()}[act]

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


@layer("crnn", image(2, 3, 32, 48), [("image", [None, 3, 32, None])])
class CRNN(nn.Layer):
    """Text recognition: convolutions, two bidirectional recurrent networks, probabilities for CTC."""

    def __init__(self):
        super(CRNN, self).__init__()
        self.body = nn.Sequential(ConvBN(3, 8, stride=2), nn.MaxPool2D(2, 2), ConvBN(8, 16), nn.MaxPool2D((8, 1), (8, 1)))
        self.lstm = nn.LSTM(16, 12, num_layers=2, direction="bidirectional")
        self.gru = nn.GRU(24, 10, direction="bidirectional")
        self.fc = nn.Linear(20, 37)

    def forward(self, image):
        x = paddle.transpose(paddle.squeeze(self.body(image), axis=2), [0, 2, 1])
        x, _ = self.lstm(x)
        x, _ = self.gru(x)
        probs = F.softmax(self.fc(x), axis=2)
        return probs, paddle.argmax(probs, axis=2)


class SE(nn.Layer):
    def __init__(self, channels):
        super(SE, self).__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.down = nn.Conv2D(channels, channels // 4, 1)
        self.up = nn.Conv2D(channels // 4, channels, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.up(F.relu(self.down(self.pool(x)))))


class Bottleneck(nn.Layer):
    def __init__(self, cin, mid, cout, stride, se):
        super(Bottleneck, self).__init__()
        self.expand = ConvBN(cin, mid, 1, act="hardswish")
        self.depth = ConvBN(mid, mid, 3, stride, groups=mid, act="hardswish")
        self.se = SE(mid) if se else None
        self.project = ConvBN(mid, cout, 1, act=None)
        self.short = stride == 1 and cin == cout

    def forward(self, x):
        y = self.depth(self.expand(x))
        if self.se is not None:
            y = self.se(y)
        y = self.project(y)
        return x + y if self.short else y


@layer("detection", image(1, 3, 64, 64), [("image", [None, 3, None, None])])
class DB(nn.Layer):
    """Text detection: a small MobileNetV3 with squeeze and excitation, a feature pyramid, transposed convolutions."""

    def __init__(self):
        super(DB, self).__init__()
        self.stem = ConvBN(3, 8, stride=2, act="hardswish")
        self.stages = nn.LayerList([Bottleneck(8, 16, 8, 1, True), Bottleneck(8, 24, 16, 2, False), Bottleneck(16, 32, 24, 2, True)])
        self.lateral = nn.LayerList([nn.Conv2D(c, 16, 1, bias_attr=False) for c in (8, 16, 24)])
        self.smooth = nn.LayerList([nn.Conv2D(16, 4, 3, padding=1) for _ in range(3)])
        self.head = nn.Sequential(ConvBN(12, 8), nn.Conv2DTranspose(8, 8, 2, 2), nn.BatchNorm2D(8), nn.ReLU(),
                                  nn.Conv2DTranspose(8, 1, 2, 2), nn.Sigmoid())

    def forward(self, image):
        x, found = self.stem(image), []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        p = [conv(f) for conv, f in zip(self.lateral, found)]
        p[1] = p[1] + F.interpolate(p[2], scale_factor=2, mode="nearest")
        p[0] = p[0] + F.interpolate(p[1], scale_factor=2, mode="nearest")
        p = [conv(f) for conv, f in zip(self.smooth, p)]
        fuse = paddle.concat([p[0], F.interpolate(p[1], scale_factor=2), F.interpolate(p[2], scale_factor=4)], axis=1)
        return self.head(fuse)


@layer("segmentation", image(1, 3, 48, 48), [("image", [None, 3, None, None])])
class DeepLab(nn.Layer):
    """Segmentation: dilated convolutions, image pooling, skips as in U-Net, bilinear interpolation, labels by argmax."""

    def __init__(self):
        super(DeepLab, self).__init__()
        self.low = ConvBN(3, 8, stride=2)
        self.high = nn.Sequential(ConvBN(8, 16, stride=2), ConvBN(16, 16, dilation=2), nn.GroupNorm(4, 16), nn.PReLU(16))
        self.branches = nn.LayerList([ConvBN(16, 8, 1)] + [ConvBN(16, 8, 3, dilation=d) for d in (2, 4)])
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.dropout = nn.Dropout2D(0.3)
        self.fuse = ConvBN(24 + 16 + 8, 8)
        self.out = nn.Conv2D(8, 5, 1)

    def forward(self, image):
        low = self.low(image)
        high = self.high(low)
        pooled = F.interpolate(self.pool(high), size=paddle.shape(high)[2:], mode="bilinear", align_corners=False)
        x = paddle.concat([b(high) for b in self.branches] + [pooled], axis=1)
        x = F.interpolate(x, size=paddle.shape(low)[2:], mode="bilinear", align_corners=True)
        logits = self.out(self.dropout(self.fuse(paddle.concat([x, low], axis=1))))
        logits = F.interpolate(logits, size=paddle.shape(image)[2:], mode="bilinear")
        return logits, paddle.argmax(logits, axis=1, dtype="int32")


def sentences(r):
    return {"ids": r.randint(1, 50, (3, 7)).astype("int64"), "lengths": np.array([7, 4, 5], "int64")}


@layer("bert", lambda r: {"ids": r.randint(0, 60, (2, 9)).astype("int64")}, [("ids", [None, None], "int64")], warm=False)
class Bert(nn.Layer):
    """A transformer with embeddings of words and places, masks, a pooler, and tied weights."""

    def __init__(self):
        super(Bert, self).__init__()
        self.words, self.places = nn.Embedding(60, 16, padding_idx=0), nn.Embedding(32, 16)
        self.norm = nn.LayerNorm(16, epsilon=1e-12)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, 0.1, "gelu", 0.1, 0), 2)
        self.pooler = nn.Linear(16, 16)
        self.bias = self.create_parameter([60], is_bias=True)

    def forward(self, ids):
        mask = paddle.unsqueeze(paddle.cast(ids == 0, "float32") * -1e9, axis=[1, 2])
        places = paddle.cumsum(paddle.ones_like(ids), axis=1) - 1
        x = self.encoder(self.norm(self.words(ids) + self.places(places)), mask)
        return paddle.matmul(x, self.words.weight, transpose_y=True) + self.bias, paddle.tanh(self.pooler(x[:, 0]))


@layer("tagger", sentences, [("ids", [None, None], "int64"), ("lengths", [None], "int64")], (2, 2), False)
class Tagger(nn.Layer):
    """Lexical analysis: embeddings, bidirectional GRU, the best path of tags."""

    def __init__(self):
        super(Tagger, self).__init__()
        self.words = nn.Embedding(50, 12)
        self.gru = nn.GRU(12, 8, num_layers=2, direction="bidirectional")
        self.emission = nn.Linear(16, 6)
        self.transition = self.create_parameter([6, 6])

    def forward(self, ids, lengths):
        x, _ = self.gru(self.words(ids), sequence_length=lengths)
        return paddle.text.viterbi_decode(self.emission(x), self.transition, lengths, False)


@layer("loops", lambda r: {"x": r.rand(3, 4).astype("float32"), "n": np.array([3], "int64")}, [("x", [None, 4]), ("n", [1], "int64")],
       (2, 1), False)
class Loops(nn.Layer):
    """while and if on tensors, a list that grows (an array of tensors), blocks inside blocks."""

    def __init__(self):
        super(Loops, self).__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x, n):
        i = paddle.zeros([1], "int64")
        found = []
        while i < n:
            if paddle.mean(x) > 0.2:
                x = self.first(x)
            else:
                x = F.relu(self.second(x)) + 0.5
            found.append(x)
            i = i + 1
        return paddle.concat(found, axis=0), x


# Before 3.0 a program cannot cast int8.
NUMBERS = ["float16", "float64", "uint8", "int16", "int32", "int64", "bool"] + (["int8"] if VERSION >= (3, 0) else [])


@layer("numbers", lambda r: {"x": r.rand(2, 3).astype("float32")}, [("x", [None, 3])], (2, 2), False)
class Numbers(nn.Layer):
    """Buffers of many kinds of numbers, and values without axes."""

    def __init__(self):
        super(Numbers, self).__init__()
        r = np.random.RandomState(0)
        for dtype in NUMBERS:
            self.register_buffer("b_" + dtype, paddle.to_tensor((r.rand(3) * 9).astype(dtype)))
        self.register_buffer("b_bfloat16", paddle.cast(paddle.to_tensor(r.rand(3).astype("float32")), paddle.bfloat16))
        if VERSION >= (2, 6):
            self.scalar = self.create_parameter([], default_initializer=nn.initializer.Constant(1.5))
            self.register_buffer("empty", paddle.zeros([0, 3]))

    def forward(self, x):
        for dtype in NUMBERS + ["bfloat16"]:
            x = x + paddle.cast(getattr(self, "b_" + dtype), "float32")
        if VERSION >= (2, 6):
            x = paddle.concat([x * self.scalar, self.empty], axis=0)
        x[0:1] = 0.25
        return x, paddle.sum(x), paddle.mean(x) > 0.5


@layer("slices", lambda r: {"x": r.rand(4, 6).astype("float32")}, [("x", [4, 6])], warm=False)
class Slices(nn.Layer):
    """Assignments to slices, constants, gathers, top values, einsum: operators with attributes of many types."""

    def __init__(self):
        super(Slices, self).__init__()
        self.w = self.create_parameter([6, 6])

    def forward(self, x):
        x[1:3, ::2 if VERSION >= (2, 1) else 1] = 7.0
        x = x + paddle.assign(np.arange(6).astype("float32"))
        x = paddle.einsum("ij,jk->ik", x, self.w) if hasattr(paddle, "einsum") else paddle.matmul(x, self.w)
        y = paddle.full_like(x, 2.5) * paddle.flip(x, [1])
        values, index = paddle.topk(y, 3, axis=1)
        parts = paddle.split(x, [2, -1], axis=1)
        return values, index, paddle.where(x > 1, x, y), paddle.gather(parts[1], paddle.assign(np.array([0, 2], "int64")), axis=0)


def vision(name, build, since):
    if VERSION >= since:
        NETWORKS[name] = Network(lambda: (build(), [spec("image", [None, 3, 64, 64])]), image(1, 3, 64, 64), True, False, None)


vision("mobilenet", lambda: paddle.vision.models.mobilenet_v2(scale=0.25, num_classes=10), (2, 0))
vision("shufflenet", lambda: paddle.vision.models.shufflenet_v2_x0_25(num_classes=10), (2, 3))
vision("mobilenet_v3", lambda: paddle.vision.models.mobilenet_v3_small(scale=0.35, num_classes=10), (2, 3))


def quantised():
    if VERSION < (2, 5):
        from paddle.fluid.contrib.slim.quantization import ImperativeQuantAware
    else:
        from paddle.quantization import ImperativeQuantAware
    net = nn.Sequential(nn.Conv2D(3, 4, 3, padding=1), nn.BatchNorm2D(4), nn.ReLU(), nn.AdaptiveAvgPool2D(4), nn.Flatten(), nn.Linear(64, 5))
    aware = ImperativeQuantAware(weight_quantize_type="channel_wise_abs_max", activation_quantize_type="moving_average_abs_max")
    quantised = aware.quantize(net)
    return (net if quantised is None else quantised), [spec("image", [None, 3, 16, 16])]


# Not for programs in PIR.
if (2, 1) <= VERSION < (3, 0):
    NETWORKS["quantised"] = Network(quantised, image(2, 3, 16, 16), True, False, None)


class Half(nn.Layer):
    """Weights of bfloat16, statistics of float32: what `amp.decorate` makes, and casts around it."""

    def __init__(self):
        super(Half, self).__init__()
        self.conv, self.norm, self.fc = nn.Conv2D(3, 4, 3), nn.BatchNorm2D(4), nn.Linear(4 * 36, 5)

    def forward(self, image):
        with paddle.amp.auto_cast(level="O2", dtype="bfloat16"):
            x = F.relu(self.norm(self.conv(image)))
            return paddle.cast(self.fc(paddle.flatten(x, 1)), "float32")


def half():
    return paddle.amp.decorate(models=Half(), level="O2", dtype="bfloat16"), [spec("image", [None, 3, 8, 8])]


def posttraining():
    """Quantised after training: weights beside quantize_linear and dequantize_linear."""
    from paddle.quantization import PTQ, QuantConfig
    from paddle.quantization.observers import AbsmaxObserver
    observer = AbsmaxObserver(quant_bits=8)
    net = nn.Sequential(nn.Conv2D(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 5))
    net.eval()
    quantiser = PTQ(QuantConfig(activation=observer, weight=observer))
    net = quantiser.quantize(net)
    net(paddle.rand([2, 3, 8, 8]))
    return quantiser.convert(net), [spec("image", [2, 3, 8, 8])]


if VERSION >= (2, 6):
    NETWORKS["half"] = Network(half, image(2, 3, 8, 8), False, False, None)
    NETWORKS["converted"] = Network(posttraining, image(2, 3, 8, 8), False, False, None)


@static("static", lambda r: {"x": r.rand(3, 8).astype("float32"), "n": np.array([4], "int64")})
def program():
    """A static program with while_loop, cond, case and an array of tensors."""
    x, n = paddle.static.data("x", [3, 8], "float32"), paddle.static.data("n", [1], "int64")
    h = paddle.static.nn.fc(x, 8, activation="relu")
    i = paddle.full([1], 0, "int64")
    w = paddle.static.create_parameter([8, 8], "float32")

    def body(i, h):
        h = paddle.static.nn.cond(paddle.mean(h) > 0.3, lambda: paddle.matmul(h, w) * 0.5, lambda: paddle.tanh(h))
        return [i + 1, h]

    i, h = paddle.static.nn.while_loop(lambda i, h: i < n, body, [i, h])
    arr = paddle.tensor.array_write(h, paddle.full([1], 0, "int64"))
    h = paddle.reshape(paddle.tensor.array_read(arr, paddle.full([1], 0, "int64")), [3, 8])
    out = paddle.static.nn.fc(nn.BatchNorm1D(8)(h), 3, name="head/out")
    return [x, n], [out, paddle.cast(out > 0, "int64"), paddle.sum(out)]


@static("attributes", lambda r: {"x": r.rand(3, 8).astype("float32")}, since=(2, 4))
def attributes_that_are_variables():
    """An axis that is a tensor: in a ProgramDesc, an attribute that names a variable."""
    x = paddle.static.data("x", [3, 8], "float32")
    h = paddle.static.nn.fc(x, 6)
    return [x], [paddle.sum(h, axis=paddle.full([1], 0, "int64") + 1), h]


@static("loop", lambda r: {"x": r.rand(2, 4).astype("float32")}, since=(2, 1))
def loop_that_writes_an_input():
    """A loop whose variable is what is fed."""
    x = paddle.static.data("x", [2, 4], "float32")
    w = paddle.static.create_parameter([4, 4], "float32")
    i = paddle.full([1], 0, "int64")
    i, y = paddle.static.nn.while_loop(lambda i, x: i < 3, lambda i, x: [i + 1, paddle.tanh(paddle.matmul(x, w))], [i, x])
    return [x], [y, paddle.sum(y)]


@static("shared", lambda r: {"x": r.rand(2, 3, 4, 4).astype("float32")})
def shared_by_name():
    """Layers that share a parameter by its name; statistics of as many axes as the batch makes."""
    x = paddle.static.data("x", [None, 3, 4, 4], "float32")
    h = nn.InstanceNorm2D(3)(x)
    for _ in range(2):
        h = nn.Conv2D(3, 3, 1, weight_attr=paddle.ParamAttr(name="shared"), bias_attr=False)(h)
    return [x], [h, paddle.mean(h)]


def quantised_after_training(folder, seed, exe):
    """Whole numbers in the place of weights, of which the program still says that they are float32."""
    if VERSION >= (2, 5):
        from paddle.static.quantization import PostTrainingQuantization
    else:
        from paddle.fluid.contrib.slim.quantization import PostTrainingQuantization

    class Samples(paddle.io.Dataset):
        def __getitem__(self, i):
            return np.random.RandomState(i).rand(3, 8, 8).astype("float32")

        def __len__(self):
            return 4

    main, start = paddle.static.Program(), paddle.static.Program()
    core = paddle.base.core if VERSION >= (2, 6) else paddle.fluid.core
    with paddle.static.program_guard(main, start), paddle.static.scope_guard(core.Scope()):
        paddle.seed(seed)
        x = paddle.static.data("image", [2, 3, 8, 8], "float32")
        out = paddle.static.nn.fc(F.relu(nn.Conv2D(3, 4, 3)(x)), 5)
        exe.run(start)
        paddle.static.save_inference_model(folder + "/float", [x], [out], exe, program=main)
        loader = paddle.io.DataLoader(Samples(), places=[paddle.CPUPlace()], feed_list=[x], batch_size=2, return_list=False)
        quantiser = PostTrainingQuantization(exe, model_dir=folder, model_filename="float.pdmodel", params_filename="float.pdiparams", data_loader=loader,
                                             batch_size=2, batch_nums=2, algo="abs_max", onnx_format=True, quantizable_op_type=["conv2d", "mul", "matmul_v2"])
        quantiser.quantize()
        quantiser.save_quantized_model(folder, model_filename="m.pdmodel", params_filename="m.pdiparams")
    return {}


if (2, 4) <= VERSION < (3, 0):
    NETWORKS["quantised_after_training"] = Network(None, image(2, 3, 8, 8), False, True, quantised_after_training)


@static("boxes", lambda r: {"x": r.rand(2, 16, 8).astype("float32")})
def boxes():
    """The end of a detector: boxes that overlap least, of every class, and the classes as vectors."""
    x = paddle.static.data("x", [2, 16, 8], "float32")
    corner, size = [F.sigmoid(paddle.static.nn.fc(x, 2, num_flatten_dims=2)) for _ in range(2)]
    found = paddle.concat([corner, corner + size], axis=2)
    scores = paddle.transpose(F.softmax(paddle.static.nn.fc(x, 3, num_flatten_dims=2) * 4.0), [0, 2, 1])
    how = collections.OrderedDict([("score_threshold", 0.1), ("nms_top_k", 12), ("keep_top_k", 5), ("nms_threshold", 0.4), ("normalized", True),
                                   ("nms_eta", 1.0), ("background_label", -1)])
    if VERSION >= (3, 0):
        kept, index, number = paddle._C_ops.multiclass_nms3(found, scores, None, *how.values())
    else:
        helper = (paddle.base if VERSION >= (2, 6) else paddle.fluid).layer_helper.LayerHelper("multiclass_nms3")
        kept, index, number = [helper.create_variable_for_type_inference(dtype=d) for d in ("float32", "int32", "int32")]
        helper.append_op(type="multiclass_nms3", inputs={"BBoxes": found, "Scores": scores}, attrs=dict(how),
                         outputs={"Out": kept, "Index": index, "NmsRoisNum": number})
    return [x], [kept, number, F.one_hot(paddle.cast(kept[:, 0], "int64"), 3), index]


def trained(make_optimizer):
    def build(seed):
        main, start = paddle.static.Program(), paddle.static.Program()
        with paddle.static.program_guard(main, start):
            paddle.seed(seed)
            main.random_seed = start.random_seed = seed + 1
            x, y = paddle.static.data("x", [None, 6], "float32"), paddle.static.data("y", [None, 2], "float32")
            pred = paddle.static.nn.fc(nn.BatchNorm1D(5)(paddle.static.nn.fc(x, 5, activation="relu")), 2)
            loss = paddle.mean(paddle.square(pred - y))
            make_optimizer().minimize(loss)
        return main, start, loss, x, pred
    return build


TRAINING["adam"] = trained(lambda: paddle.optimizer.Adam(learning_rate=0.05))
TRAINING["momentum"] = trained(lambda: paddle.optimizer.Momentum(learning_rate=0.05, momentum=0.8))
TRAINING["adamw"] = trained(lambda: paddle.optimizer.AdamW(learning_rate=0.05, weight_decay=0.1))


FULL = {"full_graph": True} if VERSION >= (2, 6) else {}


class Methods(nn.Layer):
    """Several exported methods, which share parameters; forward does not use all of the buffers."""

    def __init__(self):
        super(Methods, self).__init__()
        self.a, self.b, self.c, self.norm = nn.Linear(4, 3), nn.Linear(3, 2), nn.Linear(3, 5), nn.BatchNorm1D(3)

    @paddle.jit.to_static(input_spec=[spec("x", [None, 4])], **FULL)
    def forward(self, x):
        return self.b(self.norm(self.a(x))) + paddle.mean(self.c(self.a(x)))

    @paddle.jit.to_static(input_spec=[spec("x", [None, 4])], **FULL)
    def encode(self, x):
        return self.c(self.a(x))

    @paddle.jit.to_static(input_spec=[spec("x", [None, 4])], **FULL)
    def other(self, x):
        return self.a(x)
