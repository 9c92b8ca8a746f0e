"""Reads mutants with the official readers, in processes that may crash.

stdin: {"kind": "safetensors" | "torch" | "tensorflow", "pack": path, "answers": path, "open": file or prefix}
The pack holds for each mutant a line of JSON, [[name, length], ...], and then the bytes of these files.
answers: a line of JSON for each, {"error": text} or {"tensors": {name: [dtype, shape, sha1 of the bytes]}}.
stdout: {"count": number of mutants}
"""
import hashlib
import json
import os
import resource
import signal
import sys
import tempfile

request = json.load(sys.stdin)
KIND = request["kind"]
BATCH = 500
SECONDS = 20
GIBIBYTES = 8

if KIND == "safetensors":
    from safetensors import deserialize
elif KIND == "torch":
    import warnings

    import torch

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
else:
    import numpy as np
    import tensorflow as tf

TORCH = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL", "uint16": "U16", "uint32": "U32", "uint64": "U64",
}


def sha(data):
    return hashlib.sha1(data).hexdigest()


def read_safetensors(path):
    with open(path, "rb") as file:
        found = deserialize(file.read())
    return {name: [t["dtype"], list(t["shape"]), sha(bytes(t["data"]))] for name, t in found}


def tensors_in(value, prefix, found):
    if isinstance(value, torch.Tensor):
        if value.dtype.is_complex or value.is_quantized or value.layout != torch.strided:
            found[prefix] = ["OTHER", list(value.shape), ""]
            return
        plain = value.detach().contiguous()
        data = plain.view(torch.uint8).numpy().tobytes() if plain.dim() > 0 else plain.reshape(1).view(torch.uint8).numpy().tobytes()
        found[prefix] = [TORCH.get(str(value.dtype)[6:], "OTHER"), list(value.shape), sha(data)]
    elif isinstance(value, dict):
        for key, inner in value.items():
            tensors_in(inner, f"{prefix}.{key}" if prefix else str(key), found)


def read_torch(path):
    value = torch.load(path, map_location="cpu", weights_only=True)
    found = {}
    tensors_in(value, "", found)
    return found


def read_tensorflow(path):
    reader = tf.train.load_checkpoint(path)
    types = reader.get_variable_to_dtype_map()
    found = {}
    for name, shape in reader.get_variable_to_shape_map().items():
        dtype = {"float32": "F32", "float16": "F16", "int64": "I64", "float64": "F64", "int32": "I32", "bool": "BOOL",
                 "uint8": "U8", "int8": "I8", "int16": "I16", "bfloat16": "BF16", "uint16": "U16", "uint32": "U32",
                 "uint64": "U64"}.get(types[name].name, "OTHER")
        value = reader.get_tensor(name)
        found[name] = [dtype, list(shape), sha(np.ascontiguousarray(value).tobytes() if dtype != "OTHER" else b"")]
    return found


READ = {"safetensors": read_safetensors, "torch": read_torch, "tensorflow": read_tensorflow}[KIND]


def mutants():
    with open(request["pack"], "rb") as file:
        while line := file.readline():
            yield [(name, file.read(length)) for name, length in json.loads(line)]


def verdict(files, folder):
    for name, data in files:
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    try:
        return {"tensors": READ(os.path.join(folder, request["open"]))}
    except BaseException as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def work(batch, pipe, folder):
    resource.setrlimit(resource.RLIMIT_AS, (GIBIBYTES << 30, GIBIBYTES << 30))
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 2)
    for files in batch:
        signal.alarm(SECONDS)
        line = json.dumps(verdict(files, folder)).encode("utf-8", "replace") + b"\n"
        while line:
            line = line[os.write(pipe, line):]
    os._exit(0)


def judged(batch):
    """Lines of a batch; what ends its process is an answer too."""
    done = []
    while len(done) < len(batch):
        inlet, outlet = os.pipe()
        with tempfile.TemporaryDirectory() as folder:
            child = os.fork()
            if child == 0:
                os.close(inlet)
                work(batch[len(done):], outlet, folder)
            os.close(outlet)
            with os.fdopen(inlet, "rb") as lines:
                done += [line for line in lines if line.endswith(b"\n")]
            _, status = os.waitpid(child, 0)
        if len(done) < len(batch):
            how = os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            done.append(json.dumps({"error": f"ended by {how}"}).encode() + b"\n")
    return done


count = 0
with open(request["answers"], "wb") as answers:
    batch = []
    for files in mutants():
        batch.append(files)
        if len(batch) == BATCH:
            answers.writelines(judged(batch))
            count, batch = count + len(batch), []
    answers.writelines(judged(batch))
    count += len(batch)
json.dump({"count": count}, sys.stdout)
