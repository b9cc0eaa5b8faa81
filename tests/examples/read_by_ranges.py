"""Reads a checkpoint that is served as safetensors as remote readers do, and holds it against the pickle that it comes from.

read_by_ranges.py URL FILE PICKLE
"""
import io
import json
import pickle
import struct
import sys
import urllib.error
import urllib.parse
import urllib.request

import numpy
import safetensors
import safetensors.numpy

base, name, path = sys.argv[1:]
url = f"{base}/safetensors/{urllib.parse.quote(name)}"


class RemoteFile(io.RawIOBase):
    """A file on a server, by ranges of the version that the first answer had."""

    def __init__(self, url):
        head = urllib.request.urlopen(urllib.request.Request(url, method="HEAD"))
        self.url, self.at = url, 0
        self.size, self.etag = int(head.headers["Content-Length"]), head.headers["ETag"]
        assert head.headers["Accept-Ranges"] == "bytes" and self.etag

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self.at

    def seek(self, offset, whence=io.SEEK_SET):
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def readinto(self, into):
        end = min(self.size, self.at + len(into))
        if self.at >= end:
            return 0
        headers = {"Range": f"bytes={self.at}-{end - 1}", "If-Range": self.etag}
        answer = urllib.request.urlopen(urllib.request.Request(self.url, headers=headers))
        assert answer.status == 206, answer.status
        assert answer.headers["Content-Range"] == f"bytes {self.at}-{end - 1}/{self.size}"
        body = answer.read()
        assert len(body) == end - self.at == int(answer.headers["Content-Length"])
        into[: len(body)] = body
        self.at = end
        return len(body)


class OnlyArrays(pickle.Unpickler):
    """Of a file by Paddle: arrays are made, nothing else is imported."""

    def find_class(self, module, symbol):
        if module.split(".")[0] in ("numpy", "collections", "_codecs"):
            return super().find_class(module, symbol)
        raise pickle.UnpicklingError(f"{module}.{symbol}")


with open(path, "rb") as file:
    state = OnlyArrays(file, encoding="latin1").load()
expected = {}
for key, value in state.items():
    array = value[1] if isinstance(value, tuple) else value
    if isinstance(array, numpy.ndarray):
        expected[key] = array


def check(key, array):
    want = expected[key]
    assert array.dtype == want.dtype and array.shape == want.shape, (key, array.dtype, array.shape)
    assert array.tobytes() == want.tobytes(), key


remote = RemoteFile(url)
(length,) = struct.unpack("<Q", remote.read(8))
header = json.loads(remote.read(length))
assert header.pop("__metadata__") == {"format": "np"}
assert set(header) == set(expected), set(header) ^ set(expected)
WORDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1", "BOOL": "?"}
for key, entry in header.items():
    begin, end = entry["data_offsets"]
    remote.seek(8 + length + begin)
    data = remote.read(end - begin)
    check(key, numpy.frombuffer(data, WORDS[entry["dtype"]]).reshape(entry["shape"]))

whole = urllib.request.urlopen(url)
assert int(whole.headers["Content-Length"]) == remote.size
tensors = safetensors.numpy.load(whole.read())
assert set(tensors) == set(expected)
for key, array in tensors.items():
    check(key, array)

for key in expected:
    query = urllib.parse.urlencode({"tensor": key})
    check(key, numpy.load(io.BufferedReader(RemoteFile(f"{base}/npy/{urllib.parse.quote(name)}?{query}"))))

try:
    urllib.request.urlopen(urllib.request.Request(url, headers={"If-None-Match": remote.etag}))
    raise AssertionError("304 is due")
except urllib.error.HTTPError as error:
    assert error.code == 304, error.code

print(json.dumps({"tensors": len(expected), "safetensors": safetensors.__version__}))
