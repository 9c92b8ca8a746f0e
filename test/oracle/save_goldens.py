"""Saves what transformers computes in the two lines that docs/verify.md shows, as safetensors and as npz.

stdin: {"model", "safetensors", "npz"}: a directory and two paths; stdout: {}
"""
import json
import sys

import numpy as np
import torch
import transformers
from safetensors.torch import save_file

request = json.load(sys.stdin)
with open(request["model"] + "/config.json") as file:
    architecture = json.load(file)["architectures"][0]
model = getattr(transformers, architecture).from_pretrained(request["model"]).eval()
ids = torch.tensor([[1, 5, 7, 2], [3, 8, 0, 0]])
inputs = {"input_ids": ids, "attention_mask": (ids > 0).long(), "token_type_ids": torch.zeros_like(ids)}

with torch.no_grad():
    outputs = model(**inputs, output_hidden_states=True)
save_file({**inputs, "last_hidden_state": outputs.hidden_states[-1].contiguous()}, request["safetensors"])

arrays = {"sequence_output": outputs.hidden_states[-1].numpy(), "all_encoder_layers_0": outputs.hidden_states[1].numpy()}
np.savez(request["npz"], input_ids=ids.numpy(), input_mask=(ids > 0).numpy(), **arrays)
print("{}")
