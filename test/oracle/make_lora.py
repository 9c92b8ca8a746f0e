"""LoRA adapters made and merged by PEFT itself. Reads {"folder", "kinds": [{"name", "family", "base"?, "config",
"whole"?}]} from standard input. For each kind writes FOLDER/NAME/model (base and adapter in one folder, or the wrapped
model in one file) and FOLDER/NAME/merged (`merge_and_unload`), and the hidden states of the merged model."""
import copy
import json
import os
import shutil
import sys

import peft
import torch
import transformers
from safetensors.torch import save_file

request = json.load(sys.stdin)
SMALL = dict(
    vocab_size=83, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
    max_position_embeddings=40, type_vocab_size=2, num_labels=3, attn_implementation="eager",
)
CLASSES = {
    "bert": (transformers.BertConfig, {}),
    "albert": (transformers.AlbertConfig, dict(embedding_size=12)),
}
HEADS = {"": "Model", "classifier": "ForSequenceClassification", "mlm": "ForMaskedLM"}


def randomised(model, scale=0.3):
    for parameter in model.parameters():
        parameter.data.normal_(0, scale)
    return model


def make(kind):
    torch.manual_seed(len(kind["name"]))
    config_class, extra = CLASSES[kind["family"]]
    config = config_class(**SMALL, **extra)
    name = {"bert": "Bert", "albert": "Albert"}[kind["family"]] + HEADS[kind.get("head", "classifier")]
    base = randomised(getattr(transformers, name)(config)).eval()
    folder = os.path.join(request["folder"], kind["name"])
    model, merged = os.path.join(folder, "model"), os.path.join(folder, "merged")
    base.save_pretrained(model)
    own = peft.LoraConfig(**kind["config"])
    wrapped = peft.get_peft_model(base, own).eval()
    for key, parameter in wrapped.named_parameters():
        if "lora_" in key or "modules_to_save" in key or (key.endswith("bias") and parameter.requires_grad):
            parameter.data.normal_(0, 0.3)
    if kind.get("whole"):
        tensors = {k: v.clone().contiguous() for k, v in wrapped.state_dict().items()}
        save_file(tensors, os.path.join(model, "model.safetensors"), metadata={"format": "pt"})
        own.save_pretrained(model)
    else:
        # Not over the base: the adapter has files of other names.
        wrapped.save_pretrained(model)
    result = copy.deepcopy(wrapped).merge_and_unload()
    result.save_pretrained(merged)
    shutil.copy(os.path.join(model, "config.json"), os.path.join(merged, "config.json"))
    ids = torch.arange(24).reshape(2, 12) % 83
    with torch.no_grad():
        encoder = result.base_model if hasattr(result, "base_model") else result
        merged_states = encoder.double()(ids).last_hidden_state
    return merged_states.flatten().tolist()


json.dump([make(kind) for kind in request["kinds"]], sys.stdout)
