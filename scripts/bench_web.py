"""What others make of the weights that albertkit converts for the web: optimum's ONNX file, which is what transformers.js
loads, or the graph model that tensorflowjs_converter makes of transformers' TFAlbertModel.

usage: bench_web.py onnx|tfjs MODEL OUT      MODEL: directory of safetensors
"""
import os
import sys
import types
from importlib.machinery import ModuleSpec

os.environ.update({"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_OFFLINE": "1", "TF_CPP_MIN_LOG_LEVEL": "3"})
os.environ.update({"TF_USE_LEGACY_KERAS": "1", "TF_ENABLE_ONEDNN_OPTS": "0"})
# In one process both load LLVM, which ends it.
if sys.argv[1] == "tfjs":
    os.environ["USE_TORCH"] = "0"
kind, model, out = sys.argv[1:]


def onnx():
    from optimum.exporters.onnx import main_export

    main_export(model, output=out, task="feature-extraction", library_name="transformers", do_validation=False)


def absent(name):
    """Stands in for a package that the converter imports, but does not use for SavedModels."""
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__spec__ = ModuleSpec(name, None)


def tfjs():
    import tensorflow as tf
    import tf_keras  # noqa: F401

    from safetensors.numpy import load_file
    from transformers import AlbertConfig, TFAlbertModel
    from transformers.modeling_tf_pytorch_utils import load_pytorch_state_dict_in_tf2_model

    albert = TFAlbertModel(AlbertConfig.from_pretrained(model))
    load_pytorch_state_dict_in_tf2_model(albert, load_file(os.path.join(model, "model.safetensors")))
    ids = tf.TensorSpec([None, None], tf.int32)

    @tf.function(input_signature=[ids, ids, ids])
    def serve(input_ids, attention_mask, token_type_ids):
        found = albert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids, training=False)
        return {"last_hidden_state": found.last_hidden_state, "pooler_output": found.pooler_output}

    saved = os.path.join(out, "saved")
    tf.saved_model.save(albert, saved, signatures=serve)
    for name in ["jax", "jax.experimental", "jax.experimental.jax2tf", "tensorflow_decision_forests"]:
        absent(name)
    sys.modules["jax.experimental"].jax2tf = sys.modules["jax.experimental.jax2tf"]
    from tensorflowjs.converters.tf_saved_model_conversion_v2 import convert_tf_saved_model

    # TFAlbertModel asserts that ids are in the table.
    convert_tf_saved_model(saved, out, strip_debug_ops=True)


{"onnx": onnx, "tfjs": tfjs}[kind]()
