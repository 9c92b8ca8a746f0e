"""Ids of texts by the genuine tokenizers. Reads {"texts": [...], "tokenizers": [{"path", "class"}]} from standard input:
`class` is a class of transformers, or `tokenizers` for a tokenizer.json alone. Writes the ids, special tokens included,
a list for each tokenizer with a list for each text."""
import json
import sys

import tokenizers
import transformers

request = json.load(sys.stdin)


def load(path, name):
    if name == "tokenizers":
        own = tokenizers.Tokenizer.from_file(path)
        return lambda texts: [e.ids for e in own.encode_batch(texts)]
    own = getattr(transformers, name).from_pretrained(path)
    own.model_max_length = int(1e30)
    return lambda texts: [own(text)["input_ids"] for text in texts]


answer = [load(t["path"], t["class"])(request["texts"]) for t in request["tokenizers"]]
json.dump(answer, sys.stdout)
