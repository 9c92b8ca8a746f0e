"""Runs TensorFlow Lite files in TensorFlow's interpreter, and in LiteRT's if that is installed.

stdin: {"jobs": [{"file", "inputs": {name: [shape, values]}}]}
stdout: [{interpreter: {"delegates", "outputs": {name: values}} or {"error"}}], in the order of the jobs
"""

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


def run(make, file, inputs):
    interpreter = make(model_path=file, num_threads=1)
    runner = interpreter.get_signature_runner('serving_default')
    outputs = runner(**{name: np.array(values, np.int32).reshape(shape) for name, (shape, values) in inputs.items()})
    operators = [op['op_name'] for op in interpreter._get_ops_details()]
    return {
        'delegates': operators.count('DELEGATE'),
        'outputs': {name: value.flatten().tolist() for name, value in outputs.items()},
    }


def attempt(make, file, inputs):
    try:
        return run(make, file, inputs)
    except (RuntimeError, ValueError) as error:
        return {'error': str(error)}


json.dump(
    [
        {name: attempt(make, job['file'], job['inputs']) for name, make in INTERPRETERS.items()}
        for job in json.load(sys.stdin)['jobs']
    ],
    sys.stdout,
)
