"""Latency of TensorFlow Lite files in one LiteRT: albertkit's, and what TFLiteConverter makes of the same weights; and of
albertkit's ONNX file in onnxruntime, all in one process.

stdin: {"model": directory of safetensors, "ours": {name: path}, "onnx": path, "scratch", "rounds", "sequence"}
stdout: {"versions", "cpu", "files": {name: {"median", "ratio", "bytes", "delegates", "nodes", "maxAbs"}}}
Times are milliseconds of the processor with one thread; ratios to albertkit's float32 file within the same rounds. Each
round runs every file three times, in another order than the last, and keeps the best.
"""
import json
import os
import random
import statistics
import struct
import sys
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
answer_to = os.dup(1)
# What the runtimes print is no answer.
os.dup2(2, 1)

import numpy as np
import onnxruntime
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

request = json.load(sys.stdin)
S = request["sequence"]
config = json.loads((Path(request["model"]) / "config.json").read_text())


def safetensors(path):
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    at = 8 + length
    return {
        name: np.frombuffer(data[at + t["data_offsets"][0] : at + t["data_offsets"][1]], np.float32).reshape(t["shape"])
        for name, t in header.items()
    }


W = {name.removeprefix("albert."): value for name, value in safetensors(Path(request["model"]) / "model.safetensors").items()}
heads, hidden = config["num_attention_heads"], config["hidden_size"]
size, epsilon = hidden // heads, config["layer_norm_eps"]
LAYER = "encoder.albert_layer_groups.0.albert_layers.0"


def dense(x, name):
    return tf.matmul(x, W[f"{name}.weight"].T.copy()) + W[f"{name}.bias"]


def layer_norm(x, name):
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, W[f"{name}.bias"], W[f"{name}.weight"], epsilon)


def split(x):
    return tf.transpose(tf.reshape(x, [1, S, heads, size]), [0, 2, 1, 3])


def attention(x, bias):
    query, key, value = (split(dense(x, f"{LAYER}.attention.{name}")) for name in ("query", "key", "value"))
    scores = tf.matmul(query, key, transpose_b=True) * (1 / size**0.5)
    context = tf.matmul(tf.nn.softmax(scores + bias), value)
    merged = tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [1, S, hidden])
    return layer_norm(x + dense(merged, f"{LAYER}.attention.dense"), f"{LAYER}.attention.LayerNorm")


INPUT = tf.TensorSpec([1, S], tf.int32)


@tf.function(input_signature=[INPUT, INPUT, INPUT])
def encoder(input_ids, attention_mask, token_type_ids):
    words = tf.gather(W["embeddings.word_embeddings.weight"], input_ids)
    types = tf.gather(W["embeddings.token_type_embeddings.weight"], token_type_ids)
    x = layer_norm(words + types + W["embeddings.position_embeddings.weight"][:S], "embeddings.LayerNorm")
    x = dense(x, "encoder.embedding_hidden_mapping_in")
    bias = (1.0 - tf.cast(attention_mask[:, None, None, :], tf.float32)) * -10000.0
    for _ in range(config["num_hidden_layers"]):
        x = attention(x, bias)
        inner = tf.nn.gelu(dense(x, f"{LAYER}.ffn"), approximate=True)
        x = layer_norm(x + dense(inner, f"{LAYER}.ffn_output"), f"{LAYER}.full_layer_layer_norm")
    return {"last_hidden_state": x, "pooler_output": tf.tanh(dense(x[:, 0], "pooler"))}


files = dict(request["ours"])
for name, change in {"TFLiteConverter f32": {}, "TFLiteConverter int8": {"optimizations": [tf.lite.Optimize.DEFAULT]}}.items():
    converter = tf.lite.TFLiteConverter.from_concrete_functions([encoder.get_concrete_function()])
    for key, value in change.items():
        setattr(converter, key, value)
    files[name] = str(Path(request["scratch"]) / f"{name.replace(' ', '_')}.tflite")
    Path(files[name]).write_bytes(converter.convert())

generator = np.random.default_rng(1)
feeds = {
    "input_ids": generator.integers(5, 1000, (1, S)),
    "attention_mask": np.ones((1, S), np.int64),
    "token_type_ids": np.zeros((1, S), np.int64),
}


def litert(path):
    interpreter = Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        name = next(n for n in feeds if n in detail["name"])
        interpreter.set_tensor(detail["index"], feeds[name].astype(np.int32))
    [state] = [d["index"] for d in interpreter.get_output_details() if tuple(d["shape"]) == (1, S, hidden)]
    operators = [op["op_name"] for op in interpreter._get_ops_details()]
    # Operators that a delegate took are listed still; what runs is the delegate.
    info = {"delegates": operators.count("DELEGATE"), "nodes": len(operators) - operators.count("DELEGATE")}
    return interpreter.invoke, lambda: interpreter.get_tensor(state), info


def onnx(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    own = {i.name: feeds[i.name] for i in session.get_inputs()}
    outputs = [o.name for o in session.get_outputs()]
    return lambda: session.run(outputs, own), lambda: session.run(["last_hidden_state"], own)[0], {"delegates": None, "nodes": None}


made = {name: litert(path) for name, path in files.items()}
for name, path in request["onnx"].items():
    files[name] = path
    made[name] = onnx(path)

for run, _, _ in made.values():
    run()
wanted = encoder(*(tf.constant(feeds[n], tf.int32) for n in ("input_ids", "attention_mask", "token_type_ids")))
wanted = wanted["last_hidden_state"].numpy()
times = {name: [] for name in made}
order = list(made)
for _ in range(request["rounds"]):
    random.shuffle(order)
    for name in order:
        run, best = made[name][0], float("inf")
        for _ in range(3):
            start = time.thread_time()
            run()
            best = min(best, 1000 * (time.thread_time() - start))
        times[name].append(best)

ours = times["f32"]
answer = {
    "versions": {"TensorFlow": tf.__version__, "onnxruntime": onnxruntime.__version__},
    "files": {
        name: {
            "median": statistics.median(values),
            "ratio": statistics.median(value / base for value, base in zip(values, ours)),
            "bytes": os.stat(files[name]).st_size,
            "maxAbs": float(np.abs(made[name][1]() - wanted).max()),
            **made[name][2],
        }
        for name, values in times.items()
    },
}
with os.fdopen(answer_to, "w") as out:
    json.dump(answer, out)
