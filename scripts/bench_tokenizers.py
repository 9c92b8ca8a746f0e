"""Tokenizers of Hugging Face's library, and vocabularies to compare them with.

    python bench_tokenizers.py FOLDER

FOLDER holds en.txt and zh.txt, lines of text. Writes a folder each for vocab.txt and spiece.model, as they are, for
transformers' Python classes (-slow) and with a tokenizer.json (-json), and says `ready`. Then reads names of such
folders, and answers each with the seconds of the processor that all lines of its language took.
"""
import json
import os
import shutil
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import sentencepiece
from tokenizers import BertWordPieceTokenizer, Tokenizer
from transformers import AlbertTokenizerFast, BertTokenizerFast

PIECES = {"en": (20000, 16000), "zh": (8000, 3000)}
os.chdir(sys.argv[1])
cases = {}
for language, (words, pieces) in PIECES.items():
    source = f"{language}.txt"
    lines = open(source, encoding="utf-8").read().splitlines()
    for kind in ("wp", "sp"):
        for form in ("", "-slow", "-json"):
            os.makedirs(f"{language}-{kind}{form}")
    trained = BertWordPieceTokenizer(lowercase=True)
    trained.train([source], vocab_size=words, min_frequency=1, show_progress=False)
    trained.save_model(f"{language}-wp")
    sentencepiece.SentencePieceTrainer.train(
        input=source, model_prefix=f"{language}-sp/spiece", vocab_size=pieces, hard_vocab_limit=False,
        control_symbols="[CLS],[SEP]", user_defined_symbols="[MASK]", pad_id=0, unk_id=1, bos_id=-1, eos_id=-1,
        pad_piece="<pad>", minloglevel=2)
    for kind, file, fast in (("wp", "vocab.txt", BertTokenizerFast), ("sp", "spiece.model", AlbertTokenizerFast)):
        folder = f"{language}-{kind}"
        shutil.copy(f"{folder}/{file}", f"{folder}-slow/{file}")
        name = fast.__name__.replace("Fast", "")
        json.dump({"tokenizer_class": name, "do_lower_case": True}, open(f"{folder}-slow/tokenizer_config.json", "w"))
        fast(f"{folder}/{file}").save_pretrained(f"{folder}-json")
        own = Tokenizer.from_file(f"{folder}-json/tokenizer.json")
        own.enable_truncation(128)
        cases[folder] = (own, lines)
print("ready", flush=True)
for line in sys.stdin:
    own, lines = cases[line.strip()]
    before = time.process_time()
    rows = [encoding.ids for encoding in own.encode_batch(lines, add_special_tokens=False)]
    print(json.dumps({"cpu": time.process_time() - before, "tokens": sum(map(len, rows))}), flush=True)
