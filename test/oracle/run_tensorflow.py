"""Reads a checkpoint with TensorFlow, and runs the encoder that its names describe in TensorFlow's operations.

stdin: {"directory", "inputs": {name: nested list}}
stdout: {"variables": {name: [dtype, shape, sha256]}, "outputs": {name: [shape, flat list]}}
The encoder follows modeling.py of google-research/bert, google-research/albert and albert_zh; there is no other way to
run a checkpoint, which is variables alone.
"""
import hashlib
import json
import sys

import numpy as np
import tensorflow as tf

request = json.load(sys.stdin)
prefix = tf.train.latest_checkpoint(request["directory"])
reader = tf.train.load_checkpoint(prefix)
values = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
name = "bert_config.json" if any("layer_0/" in v for v in values) and not any("word_embeddings_2" in v for v in values) else "albert_config.json"
with open(f"{request['directory']}/{name}") as file:
    config = json.load(file)
ACTIVATIONS = {"gelu": lambda x: tf.nn.gelu(x, approximate=True), "relu": tf.nn.relu, "tanh": tf.tanh, "linear": lambda x: x}
activation = ACTIVATIONS[config["hidden_act"]]
heads = config["num_attention_heads"]


def get(name):
    return tf.constant(values["bert/" + name].astype(np.float32))


def dense(x, scope):
    return tf.matmul(x, get(scope + "/kernel")) + get(scope + "/bias")


def norm(x, scope):
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + 1e-12) * get(scope + "/gamma") + get(scope + "/beta")


def attend(x, mask, scope):
    def split(y):
        return tf.transpose(tf.reshape(y, y.shape[:2] + [heads, y.shape[2] // heads]), [0, 2, 1, 3])

    q, k, v = (split(dense(x, f"{scope}/self/{part}")) for part in ("query", "key", "value"))
    scores = tf.matmul(q, k, transpose_b=True) / np.sqrt(q.shape[-1]).astype(np.float32)
    scores += (1.0 - tf.cast(mask, tf.float32)[:, None, None, :]) * -10000.0
    context = tf.transpose(tf.matmul(tf.nn.softmax(scores), v), [0, 2, 1, 3])
    return dense(tf.reshape(context, x.shape), f"{scope}/output/dense")


ids, mask, types = (tf.constant(request["inputs"][key]) for key in ("input_ids", "attention_mask", "token_type_ids"))
x = tf.gather(get("embeddings/word_embeddings"), ids)
if "bert/embeddings/word_embeddings_2" in values:
    x = tf.matmul(x, get("embeddings/word_embeddings_2"))
x += tf.gather(get("embeddings/token_type_embeddings"), types)
x += get("embeddings/position_embeddings")[: ids.shape[1]]
x = norm(x, "embeddings/LayerNorm")
if "bert/encoder/embedding_hidden_mapping_in/kernel" in values:
    x = dense(x, "encoder/embedding_hidden_mapping_in")
layers = config["num_hidden_layers"]
for layer in range(layers):
    if "num_hidden_groups" in config:
        group = int(layer / layers * config["num_hidden_groups"])
        for inner in range(config["inner_group_num"]):
            scope = f"encoder/transformer/group_{group}/inner_group_{inner}"
            x = norm(x + attend(x, mask, scope + "/attention_1"), scope + "/LayerNorm")
            y = activation(dense(x, scope + "/ffn_1/intermediate/dense"))
            x = norm(x + dense(y, scope + "/ffn_1/intermediate/output/dense"), scope + "/LayerNorm_1")
    else:
        shared = "bert/encoder/layer_shared/output/dense/kernel" in values
        scope = "encoder/layer_shared" if shared else f"encoder/layer_{layer}"
        x = norm(x + attend(x, mask, scope + "/attention"), scope + "/attention/output/LayerNorm")
        y = activation(dense(x, scope + "/intermediate/dense"))
        x = norm(x + dense(y, scope + "/output/dense"), scope + "/output/LayerNorm")
outputs = {"last_hidden_state": x, "pooler_output": tf.tanh(dense(x[:, 0], "pooler/dense"))}
print(
    json.dumps(
        {
            "variables": {n: [str(v.dtype), list(v.shape), hashlib.sha256(v.tobytes()).hexdigest()] for n, v in values.items()},
            "outputs": {n: [list(t.shape), t.numpy().astype(float).flatten().tolist()] for n, t in outputs.items()},
        }
    )
)
