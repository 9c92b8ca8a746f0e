"""Reads the metadata and packed files of a TensorFlow Lite file, and classifies texts by them alone."""

import json
import sys
import zipfile

from mediapipe.tasks.python import BaseOptions, text
from tflite_support import metadata

request = json.load(sys.stdin)
path = request['file']
displayer = metadata.MetadataDisplayer.with_model_file(path)
with zipfile.ZipFile(path) as archive:
    damaged = archive.testzip()
    zipped = {info.filename: archive.read(info).decode() for info in archive.infolist()}

options = text.TextClassifierOptions(base_options=BaseOptions(model_asset_path=path))
classified = []
with text.TextClassifier.create_from_options(options) as classifier:
    for line in request['texts']:
        heads = classifier.classify(line).classifications
        logits = next(head for head in heads if head.head_name == 'logits')
        classified.append({c.category_name: c.score for c in logits.categories})
print(
    json.dumps(
        {
            'metadata': json.loads(displayer.get_metadata_json()),
            'packed': displayer.get_packed_associated_file_list(),
            'damaged': damaged,
            'zipped': zipped,
            'classified': classified,
        }
    )
)
