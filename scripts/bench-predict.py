"""The loop that people write: tokenizers and onnxruntime, sorted batching included.

    python bench-predict.py MODEL.onnx VOCAB.txt LINES.txt MAX_SEQ_LENGTH BATCH

Reads lines `BODY COUNT` and answers each with a JSON document: seconds of the wall and of the processor that the body
took for the first COUNT lines.
"""
import json
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy
import onnxruntime
from tokenizers import BertWordPieceTokenizer

model, vocabulary, path, max_length, batch_size = sys.argv[1:]
max_length, batch_size = int(max_length), int(batch_size)
lines = open(path, encoding="utf-8").read().splitlines()
tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=True)
tokenizer.enable_truncation(max_length)


def session_of(threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(session, rows, width):
    ids = numpy.zeros((len(rows), width), numpy.int64)
    mask = numpy.zeros((len(rows), width), numpy.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
    logits = session.run(["logits"], feeds)[0]
    powers = numpy.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def padded(count):
    for line in lines[:count]:
        run(one, [tokenizer.encode(line).ids], max_length)


def single(count):
    for line in lines[:count]:
        ids = tokenizer.encode(line).ids
        run(one, [ids], len(ids))


def batches(session, count):
    rows = [encoding.ids for encoding in tokenizer.encode_batch(lines[:count])]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    found = [None] * len(rows)
    for at in range(0, len(order), batch_size):
        places = order[at : at + batch_size]
        chosen = [rows[i] for i in places]
        for place, row in zip(places, run(session, chosen, max(map(len, chosen)))):
            found[place] = row


one, every = session_of(1), session_of(0)
bodies = {
    "padded": padded,
    "single": single,
    "batches": lambda count: batches(one, count),
    "batchesAllCores": lambda count: batches(every, count),
    "tokenize": lambda count: tokenizer.encode_batch(lines[:count]),
}
for command in sys.stdin:
    name, count = command.split()
    start, before = time.perf_counter(), time.process_time()
    bodies[name](int(count))
    cpu = time.process_time() - before
    print(json.dumps({"wall": time.perf_counter() - start, "cpu": cpu}), flush=True)
