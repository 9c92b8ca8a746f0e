# Processor time of training steps in PyTorch, for bench-train.js: reads a request on standard input, writes JSON.
import json
import resource
import sys
import time

import torch
from transformers import AlbertForSequenceClassification

request = json.load(sys.stdin)
torch.set_num_threads(1)
torch.manual_seed(0)
model = AlbertForSequenceClassification.from_pretrained(
    request["model"], attn_implementation="sdpa", hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0, classifier_dropout_prob=0.0)
model.train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.01)
shape = (request["batch"], request["sequence"])
ids = torch.randint(5, model.config.vocab_size, shape)
mask = torch.ones(shape, dtype=torch.long)
labels = torch.arange(request["batch"]) % 10


def step():
    optimizer.zero_grad()
    model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


step()
before = time.process_time()
for _ in range(request["steps"]):
    step()
cpu = time.process_time() - before
print(json.dumps({"cpu": cpu, "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
