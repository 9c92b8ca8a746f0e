"""Makes the Keras 3 fixtures: small random models of keras-hub, saved in every way it saves them, and what they compute.

    KERAS_BACKEND=tensorflow python test/oracle/make_keras.py test/fixtures/formats/keras

Needs keras-hub 0.32 with keras 3 and tensorflow. Every weight is noise of its own, biases and LayerNorms too.
"""
import json
import os
import shutil
import sys
import zipfile

os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['TF_ENABLE_ONEDNN_OPTS'] = '0'
import keras
import keras_hub
import numpy as np
from safetensors.numpy import save_file

models = keras_hub.models
VOCABULARY, POSITIONS, SEQUENCE = 31, 10, 7
SIZES = dict(vocabulary_size=VOCABULARY, num_heads=2, hidden_dim=8, intermediate_dim=12,
             max_sequence_length=POSITIONS, num_segments=2, dropout=0.0)
ALBERT = dict(SIZES, embedding_dim=6, num_layers=3)
GROUPS = dict(ALBERT, num_layers=4, num_groups=2, num_inner_repetitions=3)
SAME_WIDTH = dict(ALBERT, embedding_dim=8, num_heads=4, num_segments=3)
BERT = dict(SIZES, num_layers=2, dropout=0.1)


def randomise(model, seed):
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if 'seed_generator' in variable.path:
            continue
        center = 1.0 if variable.path.endswith('gamma') else 0.0
        variable.assign(rng.normal(center, 0.3, variable.shape).astype(np.float32))
    return model


def golden(model, path, seed):
    rng = np.random.default_rng(100 + seed)
    shape = (2, SEQUENCE)
    mask = np.ones(shape, np.int32)
    mask[1, 5:] = 0
    ids = rng.integers(0, VOCABULARY, shape).astype(np.int32)
    segments = rng.integers(0, 2, shape).astype(np.int32)
    inputs = dict(token_ids=ids, segment_ids=segments, padding_mask=mask)
    backbone = getattr(model, 'backbone', model)
    outputs = backbone(inputs)
    found = dict(last_hidden_state=outputs['sequence_output'], pooler_output=outputs['pooled_output'])
    if isinstance(model, models.TextClassifier):
        found['logits'] = model(inputs)
    if isinstance(model, models.MaskedLM):
        places = np.tile(np.arange(SEQUENCE, dtype=np.int32), (2, 1))
        found['prediction_logits'] = model(dict(inputs, mask_positions=places))
    arrays = {key: np.ascontiguousarray(keras.ops.convert_to_numpy(value)) for key, value in found.items()}
    arrays.update(input_ids=ids.astype(np.int64), attention_mask=mask.astype(np.int64),
                  token_type_ids=segments.astype(np.int64))
    save_file(arrays, path)


def one_step(model):
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss='mse', metrics=['mae'])
    rng = np.random.default_rng(7)
    inputs = dict(token_ids=rng.integers(0, VOCABULARY, (2, SEQUENCE)), segment_ids=np.zeros((2, SEQUENCE), 'int32'),
                  padding_mask=np.ones((2, SEQUENCE), 'int32'))
    model.fit(inputs, np.zeros((2, model.num_classes), 'float32'), verbose=0)
    return model


def keras_file(model, folder):
    """A `.keras` file, its members packed: the file of weights is mostly empty space."""
    path = os.path.join(folder, 'model.keras')
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def preset(model, folder):
    model.save_to_preset(folder)
    for name in ('metadata.json', 'README.md'):
        if os.path.exists(os.path.join(folder, name)):
            os.remove(os.path.join(folder, name))


def weights_file(model, folder):
    model.save_weights(os.path.join(folder, 'own.weights.h5'))


def sharded(model, folder):
    model.save_weights(os.path.join(folder, 'model.weights.json'), max_shard_size=3e-6)
    with open(os.path.join(folder, 'config.json'), 'w') as file:
        json.dump(keras.saving.serialize_keras_object(model), file, indent=1)


def albert(sizes=ALBERT):
    return models.AlbertBackbone(**sizes)


def bert():
    return models.BertBackbone(**BERT)


MODELS = {
    'albert_backbone_groups': (lambda: albert(GROUPS), keras_file),
    'albert_backbone_sharded': (lambda: albert(), sharded),
    'albert_classifier_preset': (lambda: models.AlbertTextClassifier(albert(SAME_WIDTH), num_classes=3), preset),
    'albert_classifier_weights': (lambda: models.AlbertTextClassifier(albert(), num_classes=3), weights_file),
    'albert_classifier_trained': (lambda: models.AlbertTextClassifier(albert(), num_classes=3), keras_file),
    'albert_masked_lm_keras': (lambda: models.AlbertMaskedLM(albert(GROUPS)), keras_file),
    'bert_backbone_weights': (bert, weights_file),
    'bert_classifier_keras': (lambda: models.BertTextClassifier(bert(), num_classes=4), keras_file),
    'bert_masked_lm_preset': (lambda: models.BertMaskedLM(bert()), preset),
}


def main(directory, names):
    for seed, (name, (make, save)) in enumerate(MODELS.items()):
        if names and name not in names:
            continue
        folder = os.path.join(directory, name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        model = randomise(make(), seed)
        if name.endswith('trained'):
            one_step(model)
        save(model, folder)
        golden(model, os.path.join(folder, 'golden.safetensors'), seed)


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
