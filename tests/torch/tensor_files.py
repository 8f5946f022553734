"""safetensors files with NumPy alone, written from the format's description: eight bytes of header
length, a JSON header, the tensors' bytes."""
import json

import numpy as np

DTYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4", "U8": "|u1"}
NAMES = {np.dtype(v): k for k, v in DTYPES.items()}


def write_tensors(path, tensors, metadata=None):
    """tensors: name -> array."""
    header, parts, at = {}, [], 0
    if metadata:
        header["__metadata__"] = metadata
    for name, array in tensors.items():
        data = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": NAMES[np.asarray(array).dtype], "shape": list(np.shape(array)),
                        "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text + b"".join(parts))


def read_tensors(path):
    """(name -> array, metadata)."""
    with open(path, "rb") as f:
        data = f.read()
    n = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + n])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, t in header.items():
        first, last = t["data_offsets"]
        flat = np.frombuffer(data[8 + n + first:8 + n + last], DTYPES[t["dtype"]])
        tensors[name] = flat.reshape(t["shape"]).copy()
    return tensors, metadata
