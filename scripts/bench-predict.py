"""The loop that people write: tokenizers and onnxruntime, sorted batching included. Prints one JSON document.

    python bench-predict.py MODEL.onnx VOCAB.txt LINES.txt MAX_SEQ_LENGTH BATCH SINGLES
"""
import json
import sys
import time

import numpy
import onnxruntime
from tokenizers import BertWordPieceTokenizer

model, vocabulary, path, max_length, batch_size, singles = sys.argv[1:]
max_length, batch_size, singles = int(max_length), int(batch_size), int(singles)
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


def rate(body, count):
    body(min(count, 64))
    wall = cpu = float("inf")
    for _ in range(3):
        start, before = time.perf_counter(), time.process_time()
        body(count)
        wall, cpu = min(wall, time.perf_counter() - start), min(cpu, time.process_time() - before)
    return {"wall": count / wall, "cpu": count / cpu}


def padded(session):
    def body(count):
        for line in lines[:count]:
            run(session, [tokenizer.encode(line).ids], max_length)

    return body


def single(session):
    def body(count):
        for line in lines[:count]:
            ids = tokenizer.encode(line).ids
            run(session, [ids], len(ids))

    return body


def batches(session):
    def body(count):
        rows = [encoding.ids for encoding in tokenizer.encode_batch(lines[:count])]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        found = [None] * len(rows)
        for at in range(0, len(order), batch_size):
            places = order[at : at + batch_size]
            chosen = [rows[i] for i in places]
            for place, row in zip(places, run(session, chosen, max(map(len, chosen)))):
                found[place] = row

    return body


one, every = session_of(1), session_of(0)
print(
    json.dumps(
        {
            "onnxruntime": onnxruntime.__version__,
            "padded": rate(padded(one), singles),
            "single": rate(single(one), min(len(lines), 4 * singles)),
            "batches": rate(batches(one), len(lines)),
            "batchesAllCores": rate(batches(every), len(lines)),
        }
    )
)
