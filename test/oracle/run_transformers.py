"""Loads a directory with the class of transformers that its config.json names, and runs it.

stdin: {"directory", "inputs": {name: nested list}}; stdout: {"class", "dtype", "missing", "unexpected", "outputs": {name: [shape, flat list]}}
"""
import json
import sys

import torch
import transformers

request = json.load(sys.stdin)
with open(request["directory"] + "/config.json") as file:
    architecture = json.load(file)["architectures"][0]
model, info = getattr(transformers, architecture).from_pretrained(request["directory"], output_loading_info=True)
model.eval()
auto = getattr(transformers, architecture).from_pretrained(request["directory"], torch_dtype="auto")
inputs = {name: torch.tensor(value) for name, value in request["inputs"].items()}
with torch.no_grad():
    result = model(**inputs, output_hidden_states=True)
names = {
    "pooler_output": "pooler_output",
    "prediction_logits": "prediction_logits",
    "sop_logits": "sop_logits",
    "seq_relationship_logits": "sop_logits",
    "start_logits": "start_logits",
    "end_logits": "end_logits",
    "logits": "prediction_logits" if architecture.endswith("MaskedLM") else "logits",
}
outputs = {"last_hidden_state": result.hidden_states[-1]}
outputs.update({name: result[key] for key, name in names.items() if key in result})
print(
    json.dumps(
        {
            "class": architecture,
            "dtype": str(auto.dtype),
            "missing": sorted(info["missing_keys"]),
            "unexpected": sorted(info["unexpected_keys"]),
            "outputs": {name: [list(t.shape), t.double().flatten().tolist()] for name, t in outputs.items()},
        }
    )
)
