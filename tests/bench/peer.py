"""One job of the benchmark, done by CPython and numpy in a fresh process.

    python3 peer.py JOB FOLDER DIVISOR

Prints one line of JSON: milliseconds of the job alone, the peak of resident memory in KiB, and the bytes of its numbers.
"""
import json
import os
import pickle
import re
import sys
import time

import numpy

job, folder, divisor = sys.argv[1], sys.argv[2], int(sys.argv[3])
MiB = 2**20


def load(name):
    def run():
        with open(os.path.join(folder, name), "rb") as file:
            return pickle.load(file)

    return run


def state_dict(count, nbytes):
    state = {f"layer.{k}.weight": numpy.full((nbytes // 1024, 256), k + 0.1, dtype="float32") for k in range(count)}
    state["StructuredToParameterName@@"] = {f"layer.{k}.weight": f"linear_{k}.w_0" for k in range(count)}
    return state


def dump(protocol, total, count, sync):
    state = state_dict(count, total // divisor // count // 4096 * 4096)

    def run():
        with open(os.path.join(folder, "saved.peer"), "wb") as file:
            pickle.dump(state, file, protocol=protocol)
            if sync:
                file.flush()
                os.fsync(file.fileno())

    return run


def astype():
    halves = numpy.arange(256 * MiB // divisor, dtype="uint32").astype("uint16").view("float16")
    return lambda: halves.astype("float32")


def from_file(file, count):
    """numpy allocates, and asks for huge pages."""
    return numpy.fromfile(file, "float32", count)


def from_buffer(file, count):
    """Python allocates, and numpy looks at its bytes."""
    return numpy.frombuffer(file.read(4 * count), "float32")


def records(name, read):
    """The tensors of a file of records as numpy arrays, read where they lie."""

    def run():
        arrays = []
        with open(os.path.join(folder, name), "rb") as file:
            while head := file.read(20):
                desc = file.read(int.from_bytes(head[16:], "little"))
                dims, at = [], 2
                while at < len(desc):
                    at, n, shift = at + 1, 0, 0
                    while True:
                        n |= (desc[at] & 127) << shift
                        at, shift = at + 1, shift + 7
                        if desc[at - 1] < 128:
                            break
                    dims.append(n)
                arrays.append(read(file, dims[0] * dims[1]).reshape(dims))
        return arrays

    return run


def protobuf(name):
    """Google's protobuf (upb) with the same messages; the descriptor is the one in the generated code."""
    import base64
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    text = re.search(r'fileDesc\("([^"]+)"', open("proto/gen/framework_pb.ts").read()).group(1)
    desc = descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(text + "=" * (-len(text) % 4)))
    desc.name = "framework.proto"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(desc)
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName(desc.package + ".ProgramDesc"))
    data = open(os.path.join(folder, name), "rb").read()
    return lambda: message.FromString(data)


def prepare():
    if job.startswith("records:"):
        return records(job[8:], from_file)
    if job.startswith("buffers:"):
        return records(job[8:], from_buffer)
    if job.startswith("protobuf:"):
        return protobuf(job[9:])
    if job.startswith("load:"):
        return load(job[5:])
    if job == "astype":
        return astype()
    kind, protocol = job.split(":")
    total, count = (1024 * MiB, 200) if protocol == "4" else (256 * MiB, 50)
    return dump(int(protocol), total, count, kind == "dump+fsync")


run = prepare()
start = time.perf_counter()
result = run()
ms = (time.perf_counter() - start) * 1000
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read()).group(1))
print(json.dumps({"ms": ms, "peakKiB": peak}))
