"""Runs a TensorFlow Lite file in TensorFlow's interpreter, and in LiteRT's if that is installed."""

import json
import sys

import numpy as np
import tensorflow as tf

INTERPRETERS = {'tensorflow': tf.lite.Interpreter}
try:
    from ai_edge_litert.interpreter import Interpreter

    INTERPRETERS['litert'] = Interpreter
except ImportError:
    pass


def run(interpreter, inputs):
    runner = interpreter.get_signature_runner('serving_default')
    outputs = runner(**{name: np.array(values, np.int32) for name, values in inputs.items()})
    operators = [op['op_name'] for op in interpreter._get_ops_details()]
    return {
        'delegates': operators.count('DELEGATE'),
        'outputs': {name: value.flatten().tolist() for name, value in outputs.items()},
    }


request = json.load(sys.stdin)
print(
    json.dumps(
        {
            name: run(make(model_path=request['file'], num_threads=1), request['inputs'])
            for name, make in INTERPRETERS.items()
        }
    )
)
