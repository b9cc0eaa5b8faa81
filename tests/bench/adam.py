"""One Adam step over so many million parameters by real Paddle, one thread: processor seconds of each step but the first."""
import os, sys, time
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
import paddle

paddle.set_device("cpu")
n, steps = int(sys.argv[1]), int(sys.argv[2])
p = paddle.create_parameter([n], "float32")
(p * paddle.full([n], 0.01)).sum().backward()
adam = paddle.optimizer.Adam(0.001, parameters=[p])
adam.step()
for _ in range(steps):
    start = time.process_time()
    adam.step()
    print(time.process_time() - start)
