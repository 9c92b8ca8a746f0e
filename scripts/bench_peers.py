"""Latency of ONNX files in one onnxruntime: albertkit's, and what PyTorch, optimum and onnxruntime make of the same weights.

stdin: {"model": directory of safetensors, "ours": {name: path}, "scratch", "heads", "hidden", "rounds", "threads", "shapes": [[batch, sequence]]}
stdout: {"versions", "cpu", "skipped": {name: why}, "rows": [{"shape", "files": {name: {"median", "min", "ratio", "bytes", "maxAbs"}}}]}
Times are milliseconds of the processor with one thread, else of the clock. Rounds are interleaved: each runs every file three times, in another order than the last, and keeps the best.
"""
import json
import os
import random
import statistics
import sys
import time
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["HF_HUB_OFFLINE"] = "1"
answer_to = os.dup(1)
# What exporters print is no answer.
os.dup2(2, 1)

import numpy as np
import onnxruntime
import torch
import transformers

request = json.load(sys.stdin)
scratch = Path(request["scratch"])
NAMES = ["input_ids", "attention_mask", "token_type_ids"]
files = dict(request["ours"])
skipped = {}


def attempt(name, make):
    try:
        path = scratch / name / "model.onnx"
        path.parent.mkdir()
        files[name] = str(make(path) or path)
    except Exception as error:
        skipped[name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]


torch.manual_seed(0)
model = transformers.AlbertModel.from_pretrained(request["model"], attn_implementation="eager").eval()
example = tuple(torch.ones(2, 16, dtype=torch.int64) for _ in NAMES)


class Plain(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        result = self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        return result.last_hidden_state, result.pooler_output


AXES = {name: {0: "batch", 1: "sequence"} for name in [*NAMES, "last_hidden_state"]} | {"pooler_output": {0: "batch"}}
OUTPUTS = ["last_hidden_state", "pooler_output"]


def legacy(path):
    torch.onnx.export(Plain(), example, str(path), input_names=NAMES, output_names=OUTPUTS, dynamic_axes=AXES, opset_version=17, dynamo=False)


def dynamo(path):
    shapes = [{0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence")} for _ in NAMES]
    torch.onnx.export(Plain(), example, str(path), input_names=NAMES, output_names=OUTPUTS, dynamic_shapes=shapes, dynamo=True, external_data=False)


def optimum(path):
    from optimum.exporters.onnx import main_export

    main_export(request["model"], output=str(path.parent), task="feature-extraction", library_name="transformers", do_validation=False)


def optimized(path):
    from onnxruntime.transformers.optimizer import optimize_model

    source = files.get("torch") or files["albertkit"]
    optimize_model(source, model_type="bert", num_heads=request["heads"], hidden_size=request["hidden"]).save_model_to_file(str(path))


def quantized(path):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(files.get("torch") or files["albertkit"], str(path), weight_type=QuantType.QInt8, per_channel=True)


attempt("torch", legacy)
attempt("torch dynamo", dynamo)
attempt("optimum", optimum)
attempt("onnxruntime optimizer", optimized)
attempt("onnxruntime int8", quantized)

# With one thread everything is computed in this one: its own time leaves out that of other programs on the machine.
clock = time.thread_time if request["threads"] == 1 else time.perf_counter
sessions = {}
for name, path in list(files.items()):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = request["threads"]
    options.log_severity_level = 4
    try:
        sessions[name] = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        skipped[name] = str(error).splitlines()[0][:200]

rows = []
for batch, sequence in request["shapes"]:
    generator = np.random.default_rng(1)
    ids = generator.integers(5, 1000, (batch, sequence))
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    own = {n: {k: feeds[k] for k in (i.name for i in s.get_inputs())} for n, s in sessions.items()}
    with torch.no_grad():
        wanted = model(**{k: torch.tensor(v) for k, v in feeds.items()}).last_hidden_state.numpy()
    times = {name: [] for name in sessions}
    differences = {}
    for name, session in sessions.items():
        outputs = [o.name for o in session.get_outputs()]
        index = outputs.index("last_hidden_state") if "last_hidden_state" in outputs else 0
        for _ in range(2):
            result = session.run(None, own[name])
        differences[name] = float(np.abs(result[index] - wanted).max())
    order = list(sessions)
    for _ in range(request["rounds"]):
        random.shuffle(order)
        for name in order:
            best = float("inf")
            for _ in range(3):
                start = clock()
                sessions[name].run(None, own[name])
                best = min(best, 1000 * (clock() - start))
            times[name].append(best)
    found = {
        name: {
            "median": statistics.median(values),
            "min": min(values),
            # Of the same rounds, so that other work on the machine slows both.
            "ratio": statistics.median(value / ours for value, ours in zip(values, times["albertkit"])),
            "bytes": sum(p.stat().st_size for p in Path(files[name]).parent.glob(Path(files[name]).name + "*")),
            "maxAbs": differences[name],
        }
        for name, values in times.items()
    }
    rows.append({"shape": [batch, sequence], "files": found})

flags = set()
if os.path.exists("/proc/cpuinfo"):
    with open("/proc/cpuinfo") as info:
        flags = set(next((line.split(":")[1].split() for line in info if line.startswith("flags")), []))
answer = {
    "versions": {m.__name__: m.__version__ for m in (torch, transformers, onnxruntime)},
    "cpu": sorted(flags & {"avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8"}),
    "skipped": skipped,
    "rows": rows,
}
os.write(answer_to, json.dumps(answer).encode())
