"""Runs small models with PyTorch in float64. Reads {"cases": [{"config", "weights": {slot: {"shape", "data"}}, "inputs"}]}
from standard input; the weights are those of the forward pass, under the slots of albertkit. ALBERT and BERT are those of
transformers; albert_zh is `torch.nn.TransformerEncoderLayer`, post- or pre-LN. Gives, for each case, all named values
and, of models of transformers, means of what layers and attention heads do to tokens that are no padding."""
import json
import re
import sys

import torch
import transformers

ACTIVATIONS = {"gelu_tanh": "gelu_pytorch_tanh", "gelu_erf": "gelu", "swish": "silu"}
ALBERT = [
    (r"embeddings/(\w+_embeddings)", r"albert.embeddings.\1.weight"),
    (r"embeddings/LayerNorm", r"albert.embeddings.LayerNorm"),
    (r"encoder/embedding_hidden_mapping_in", r"albert.encoder.embedding_hidden_mapping_in"),
    (r"encoder/shared(?:_(\d))?/", lambda m: f"albert.encoder.albert_layer_groups.0.albert_layers.{m[1] or 0}."),
    (r"attention/output", "attention.dense"),
    (r"attention/", "attention."),
    (r"ffn/intermediate", "ffn"),
    (r"ffn/output", "ffn_output"),
    (r"ffn/LayerNorm", "full_layer_layer_norm"),
    (r"pooler/dense", "albert.pooler"),
    (r"mlm/transform/", "predictions."),
    (r"mlm/output_bias", "predictions.bias"),
    (r"mlm/decoder", "predictions.decoder.weight"),
    (r"sop/output_weights", "sop_classifier.classifier.weight"),
    (r"sop/output_bias", "sop_classifier.classifier.bias"),
]
BERT = [
    (r"embeddings/(\w+_embeddings)", r"bert.embeddings.\1.weight"),
    (r"embeddings/LayerNorm", r"bert.embeddings.LayerNorm"),
    (r"encoder/(?:layer_(\d)|shared)/", lambda m: f"bert.encoder.layer.{m[1] or '*'}."),
    (r"attention/(output)", r"attention.\1.dense"),
    (r"attention/(query|key|value)", r"attention.self.\1"),
    (r"attention/LayerNorm", "attention.output.LayerNorm"),
    (r"ffn/intermediate", "intermediate.dense"),
    (r"ffn/output", "output.dense"),
    (r"ffn/LayerNorm", "output.LayerNorm"),
    (r"pooler/dense", "bert.pooler.dense"),
    (r"mlm/transform/dense", "cls.predictions.transform.dense"),
    (r"mlm/transform/LayerNorm", "cls.predictions.transform.LayerNorm"),
    (r"mlm/output_bias", "cls.predictions.bias"),
    (r"sop/output_weights", "cls.seq_relationship.weight"),
    (r"sop/output_bias", "cls.seq_relationship.bias"),
    (r"qa/output_weights", "qa_outputs.weight"),
    (r"qa/output_bias", "qa_outputs.bias"),
]
COMMON = [
    (r"classifier/output_weights", "classifier.weight"),
    (r"classifier/output_bias", "classifier.bias"),
    (r"/kernel$|/gamma$", ".weight"),
    (r"/(bias)$|/beta$", ".bias"),
]


def tensor(value):
    return torch.tensor(value["data"], dtype=torch.float64).reshape(value["shape"])


def state_dict(weights, table):
    state = {}
    for slot, value in weights.items():
        name = slot
        for pattern, replacement in table + COMMON:
            name = re.sub(pattern, replacement, name)
        state[name] = tensor(value).T.contiguous() if slot.endswith("/kernel") else tensor(value)
    return state


def shared_layers(state, layers):
    """One layer under `*` stands for all."""
    every = {}
    for name, value in state.items():
        for layer in range(layers) if "*" in name else [0]:
            every[name.replace("*", str(layer))] = value
    return every


def classes_of(weights, kind, architecture):
    prefix = {"albert": "Albert", "bert": "Bert"}[architecture]
    found = []
    if "sop/output_weights" in weights:
        found.append(("ForPreTraining", {"prediction_logits": "prediction_logits", "seq_relationship_logits" if architecture == "bert" else "sop_logits": "sop_logits"}))
    elif "mlm/output_bias" in weights:
        found.append(("ForMaskedLM", {"logits": "prediction_logits"}))
    if "classifier/output_weights" in weights:
        name = {"sequence": "ForSequenceClassification", "token": "ForTokenClassification", "choice": "ForMultipleChoice"}[kind]
        found.append((name, {"logits": "logits"}))
    if "qa/output_weights" in weights:
        found.append(("ForQuestionAnswering", {"start_logits": "start_logits", "end_logits": "end_logits"}))
    return [(prefix + name, outputs) for name, outputs in found]


def run_transformers(config, weights, inputs):
    architecture = config["architecture"]
    config_class = transformers.AlbertConfig if architecture == "albert" else transformers.BertConfig
    numbers = ["vocab_size", "embedding_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
               "max_position_embeddings", "type_vocab_size", "num_hidden_groups", "inner_group_num", "layer_norm_eps"]
    act = ACTIVATIONS.get(config["hidden_act"], config["hidden_act"])
    labels = weights.get("classifier/output_bias", {"shape": [2]})["shape"][0]
    state = state_dict(weights, ALBERT if architecture == "albert" else BERT)
    state = shared_layers(state, config["num_hidden_layers"])
    named, attentions, contexts = {}, [], []
    for name, outputs in classes_of(weights, config.get("kind"), architecture):
        made = config_class(
            **{number: config[number] for number in numbers}, hidden_act=act, pad_token_id=None, attn_implementation="eager",
            num_labels=labels if outputs == {"logits": "logits"} else 2, tie_word_embeddings="mlm/decoder" not in weights)
        model = getattr(transformers, name)(made).double().eval()
        missing, _ = model.load_state_dict(state, strict=False)
        unknown = [key for key in missing if not re.search(r"decoder\.(weight|bias)$", key)]
        assert not unknown, unknown
        with torch.no_grad():
            if "predictions.decoder.weight" in state and hasattr(model, "predictions"):
                model.predictions.decoder.weight.copy_(state["predictions.decoder.weight"])
                model.predictions.decoder.bias.copy_(state["predictions.bias"])
        model.tie_weights()
        body = model.albert if architecture == "albert" else model.bert
        layers, kept = [], {}

        def keep(name):
            return lambda _module, _inputs, output: kept.__setitem__(name, output)

        body.embeddings.register_forward_hook(keep("embedding_output"))
        if architecture == "albert":
            body.encoder.embedding_hidden_mapping_in.register_forward_hook(keep("embedding_hidden_mapping_in"))
        attentions.clear()
        contexts.clear()
        for module in body.modules():
            kind = type(module).__name__
            if kind in ("AlbertLayer", "BertLayer"):
                module.register_forward_hook(lambda _m, _i, output: layers.append(output[0]))
            if kind in ("AlbertAttention", "BertSelfAttention"):
                module.register_forward_hook(lambda _m, _i, output: attentions.append(output[1]))
            if kind in ("BertSelfOutput", "AlbertAttention"):
                module.dense.register_forward_hook(lambda m, given, _o: contexts.append((given[0], m.weight.detach().T)))
        rows = {key: value.reshape(1, *value.shape) if config.get("kind") == "choice" else value for key, value in inputs.items()}
        with torch.no_grad():
            result = model(**rows, output_attentions=True, output_hidden_states=True)
        for key, own in outputs.items():
            named[own] = result[key]
        named.update(kept)
        step = config["inner_group_num"] if config["family"] == "hf" else 1
        states = layers[step - 1 :: step]
        named.update({f"hidden_state_{i}": state for i, state in enumerate(states)})
        named["last_hidden_state"] = layers[-1]
        if body.pooler is not None:
            first = layers[-1][:, 0]
            with torch.no_grad():
                pooled = body.pooler(layers[-1]) if architecture == "bert" else body.pooler_activation(body.pooler(first))
            named["pooler_output"] = pooled
    return named, trace(config, named, attentions, contexts, inputs["attention_mask"] == 1)


def trace(config, named, attentions, contexts, tokens):
    """What layers and heads do, as means over tokens."""
    states = [named.get("embedding_hidden_mapping_in", named["embedding_output"])]
    while f"hidden_state_{len(states) - 1}" in named:
        states.append(named[f"hidden_state_{len(states) - 1}"])
    layers = []
    for layer, (a, b) in enumerate(zip(states, states[1:])):
        a, b = a[tokens], b[tokens]
        cosine = torch.nn.functional.cosine_similarity(a, b, dim=-1)
        layers.append({"layer": layer, "l2": (a - b).norm(dim=-1).mean().item(), "cosine": cosine.mean().item()})
    heads = []
    inners = config["inner_group_num"] if config["family"] == "hf" else 1
    for k, (attention, (context, kernel)) in enumerate(zip(attentions, contexts)):
        size = context.shape[-1] // attention.shape[1]
        for head in range(attention.shape[1]):
            entropy = torch.special.entr(attention[:, head]).sum(-1)
            seen = tokens.sum(-1, keepdim=True).log()
            part = slice(head * size, (head + 1) * size)
            norm = (context[..., part] @ kernel[part]).norm(dim=-1)
            heads.append({
                "layer": k // inners, "inner": k % inners, "head": head, "entropy": entropy[tokens].mean().item(),
                "normalised": (entropy / seen)[tokens].mean().item(), "norm": norm[tokens].mean().item(),
            })
    return {"layers": layers, "heads": heads}


def run_zh(config, weights, inputs):
    """albert_zh: the factor right after the lookup; layers of PyTorch itself."""
    w = {slot: tensor(value) for slot, value in weights.items()}
    hidden, functional = config["hidden_size"], torch.nn.functional
    act = {"gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"), "linear": lambda x: x}[config["hidden_act"]]
    norm = lambda x, slot: functional.layer_norm(x, (hidden,), w[slot + "/gamma"], w[slot + "/beta"], 1e-12)
    dense = lambda x, slot: x @ w[slot + "/kernel"] + w[slot + "/bias"]
    x = w["embeddings/word_embeddings"][inputs["input_ids"]] @ w["embeddings/word_embeddings_2"]
    x = x + w["embeddings/token_type_embeddings"][inputs["token_type_ids"]]
    x = x + w["embeddings/position_embeddings"][: x.shape[1]]
    x = norm(x, "embeddings/LayerNorm")
    named = {"embedding_output": x}
    for l in range(config["num_hidden_layers"]):
        scope = "encoder/shared/" if "encoder/shared/attention/query/kernel" in w else f"encoder/layer_{l}/"
        layer = torch.nn.TransformerEncoderLayer(
            hidden, config["num_attention_heads"], config["intermediate_size"], 0.0, act, 1e-12, True,
            config["norm_position"] == "pre", dtype=torch.float64)
        state = {"self_attn.in_proj_" + kind: torch.cat([w[f"{scope}attention/{p}/{slot}"].t() for p in ("query", "key", "value")])
                 for kind, slot in (("weight", "kernel"), ("bias", "bias"))}
        for name, slot in (("self_attn.out_proj", "attention/output"), ("linear1", "ffn/intermediate"), ("linear2", "ffn/output")):
            state[name + ".weight"], state[name + ".bias"] = w[f"{scope}{slot}/kernel"].T, w[f"{scope}{slot}/bias"]
        for name, slot in (("norm1", "attention/LayerNorm"), ("norm2", "ffn/LayerNorm")):
            state[name + ".weight"], state[name + ".bias"] = w[f"{scope}{slot}/gamma"], w[f"{scope}{slot}/beta"]
        layer.load_state_dict(state)
        with torch.no_grad():
            x = layer(x, src_key_padding_mask=inputs["attention_mask"] == 0)
        named[f"hidden_state_{l}"] = x
    named["last_hidden_state"] = x
    named["pooler_output"] = pooled = torch.tanh(dense(x[:, 0], "pooler/dense"))
    if "mlm/output_bias" in w:
        wide = norm(act(dense(x, "mlm/transform/dense")), "mlm/transform/LayerNorm")
        narrow = wide @ w["embeddings/word_embeddings_2"].T
        named["prediction_logits"] = narrow @ w["embeddings/word_embeddings"].T + w["mlm/output_bias"]
    if "sop/output_weights" in w:
        named["sop_logits"] = pooled @ w["sop/output_weights"].T + w["sop/output_bias"]
    if "classifier/output_weights" in w:
        # run_classifier.py of albert_zh, `ln_type` preln: another LayerNorm on the pooled output.
        normed = norm(pooled, "classifier/LayerNorm")
        named["logits"] = normed @ w["classifier/output_weights"].T + w["classifier/output_bias"]
    return named, None


def run(case):
    inputs = {key: torch.tensor(value) for key, value in case["inputs"].items()}
    runner = run_zh if case["config"]["family"] == "zh" else run_transformers
    named, means = runner(case["config"], case["weights"], inputs)
    plain = lambda x: {"shape": list(x.shape), "data": x.flatten().tolist()}
    return {"values": {name: plain(value) for name, value in named.items()}, "trace": means}


json.dump([run(case) for case in json.load(sys.stdin)["cases"]], sys.stdout)
