"""Loads the tfjs graph in TensorFlow: `modelTopology` is a GraphDef, whose constants lie in the shards beside it.

stdin: {"directory" of model.json, "inputs": {name: nested list}}
stdout: {"outputs": {name: [shape, flat list]}}
"""
import json
import os
import sys

import numpy as np
import tensorflow as tf
from google.protobuf import json_format

request = json.load(sys.stdin)
with open(os.path.join(request["directory"], "model.json")) as file:
    model = json.load(file)
graph_def = json_format.ParseDict(model["modelTopology"], tf.compat.v1.GraphDef())

values = {}
for group in model["weightsManifest"]:
    data = b"".join(open(os.path.join(request["directory"], path), "rb").read() for path in group["paths"])
    at = 0
    for weight in group["weights"]:
        own = np.frombuffer(data, weight["dtype"], int(np.prod(weight["shape"])), at)
        values[weight["name"]] = own.reshape(weight["shape"])
        at += own.nbytes
    assert at == len(data)
for node in graph_def.node:
    if node.op == "Const":
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values.pop(node.name)))
assert not values, f"weights without a node: {list(values)}"

with tf.Graph().as_default() as graph:
    tf.import_graph_def(graph_def, name="")
    signature = model["signature"]
    feed = {value["name"]: request["inputs"][name] for name, value in signature["inputs"].items()}
    names = list(signature["outputs"])
    with tf.compat.v1.Session(graph=graph) as session:
        results = session.run([signature["outputs"][name]["name"] for name in names], feed)
outputs = {name: [list(v.shape), v.astype(float).flatten().tolist()] for name, v in zip(names, results)}
json.dump({"outputs": outputs}, sys.stdout)
