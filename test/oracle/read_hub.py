"""Reads the cache of models, and model cards, with huggingface_hub.

argv: one JSON request, {"files": names of files of org/name} or {"card": path}; stdout: one JSON document
"""
import hashlib
import json
import sys

from huggingface_hub import ModelCard, hf_hub_download, scan_cache_dir

request = json.loads(sys.argv[1])
if "card" in request:
    json.dump(ModelCard.load(request["card"]).data.to_dict(), sys.stdout)
    sys.exit()

hashes = {}
for name in request["files"]:
    with open(hf_hub_download("org/name", name), "rb") as file:
        hashes[name] = hashlib.sha256(file.read()).hexdigest()
scan = scan_cache_dir()
[repo] = scan.repos
[revision] = repo.revisions
json.dump(
    {
        "hashes": hashes,
        "warnings": [str(warning) for warning in scan.warnings],
        "repo": repo.repo_id,
        "commit": revision.commit_hash,
        "refs": sorted(revision.refs),
        "files": sorted(file.file_name for file in revision.files),
    },
    sys.stdout,
)
