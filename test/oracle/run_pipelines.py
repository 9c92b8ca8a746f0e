"""Answers of transformers' pipelines, and seqeval's scores. Reads {"runs": [{"task", "folder", "inputs"}], "tags":
[[given, found], ...]} from standard input."""
import json
import sys

from transformers import pipeline

request = json.load(sys.stdin)


def answers(run):
    pipe = pipeline(run["task"], model=run["folder"], device="cpu")
    if run["task"] == "question-answering":
        found = [pipe(max_answer_len=30, doc_stride=run["stride"], max_seq_len=run["length"], **one) for one in run["inputs"]]
        return [{"answer": a["answer"], "score": a["score"], "start": a["start"], "end": a["end"]} for a in found]
    return [
        [{"entity": t["entity"], "score": float(t["score"]), "start": t["start"], "end": t["end"]} for t in tokens]
        for tokens in pipe(run["inputs"], ignore_labels=[])
    ]


def scores(pairs):
    if not pairs:
        return None
    try:
        from seqeval.metrics import f1_score, precision_score, recall_score
    except ImportError:
        return None
    given, found = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return [metric(given, found, average=a) for a in ("micro", "macro") for metric in (precision_score, recall_score, f1_score)]


json.dump({"runs": [answers(run) for run in request["runs"]], "scores": scores(request["tags"])}, sys.stdout)
