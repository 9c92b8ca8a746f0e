"""Vectors of texts by the genuine sentence-transformers. Reads {"texts": [...], "folders": [{"path", "prompt"?,
"promptName"?}]} from standard input, writes a list of vectors for each folder."""
import json
import sys

from sentence_transformers import SentenceTransformer

request = json.load(sys.stdin)


def vectors(folder):
    model = SentenceTransformer(folder["path"], device="cpu")
    return model.encode(
        request["texts"], prompt=folder.get("prompt"), prompt_name=folder.get("promptName"), show_progress_bar=False
    ).tolist()


json.dump([vectors(folder) for folder in request["folders"]], sys.stdout)
