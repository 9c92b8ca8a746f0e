"""Checks ONNX files with the official package: its checker, strict shape inference, and its own slow evaluator.

stdin: {"files": {name: path}, "inputs": {name: nested list}}
stdout: {name: {"error", "opset", "inferred": {output: [type, dims]}, "declared": {...}, "location": [names], "outputs": {name: [shape, flat list]}}}
"""
import json
import os
import sys

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

request = json.load(sys.stdin)


def described(values):
    found = {}
    for value in values:
        tensor = value.type.tensor_type
        dims = [d.dim_param or d.dim_value for d in tensor.shape.dim]
        found[value.name] = [onnx.TensorProto.DataType.Name(tensor.elem_type), dims]
    return found


def undeclared(model):
    """The model without what it says of its outputs' shapes, so that these must be inferred."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for output in copy.graph.output:
        output.type.tensor_type.ClearField("shape")
    return copy


answer = {}
for name, path in request["files"].items():
    try:
        onnx.checker.check_model(path, full_check=True)
        plain = onnx.load(path, load_external_data=False)
        model = onnx.load(path)
        inferred = onnx.shape_inference.infer_shapes(undeclared(model), check_type=True, strict_mode=True, data_prop=True)
        feeds = {key: np.array(value, dtype=np.int64) for key, value in request["inputs"].items()}
        names = [output.name for output in model.graph.output]
        outputs = dict(zip(names, ReferenceEvaluator(model).run(names, feeds)))
        answer[name] = {
            "error": None,
            "opset": {entry.domain: entry.version for entry in model.opset_import},
            "inferred": described(inferred.graph.output),
            "declared": described(model.graph.output),
            "inner": len(model.graph.value_info),
            "location": sorted({e.value for t in plain.graph.initializer for e in t.external_data if e.key == "location"}),
            "outputs": {key: [list(value.shape), value.astype(float).flatten().tolist()] for key, value in outputs.items()},
        }
    except Exception as error:
        answer[name] = {"error": f"{type(error).__name__}: {error}"}
print(json.dumps(answer))
