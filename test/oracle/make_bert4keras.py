"""Makes the fixtures of bert4keras: small random models, saved as its examples save them (`best_model.weights`, HDF5), and
what they compute.

    python test/oracle/make_bert4keras.py test/fixtures/formats/bert4keras

Needs tensorflow with tf_keras, and bert4keras 0.11.5. `keras2` has the same weights under the numbers that Keras 2 gives
Dense layers without names: through the whole process, from 1 (keras/engine/base_layer.py, `K.get_uid`).
"""
import json
import os
import re
import sys

os.environ.update(TF_KERAS='1', TF_USE_LEGACY_KERAS='1', TF_CPP_MIN_LOG_LEVEL='3', TF_ENABLE_ONEDNN_OPTS='0')
import h5py
import numpy as np
from bert4keras.backend import keras
from bert4keras.models import build_transformer_model
from safetensors.numpy import save_file

out = sys.argv[1]
SIZES = dict(vocab_size=31, hidden_size=8, num_hidden_layers=3, num_attention_heads=2, intermediate_size=12,
             hidden_act='gelu', max_position_embeddings=10, type_vocab_size=2, hidden_dropout_prob=0.0,
             attention_probs_dropout_prob=0.0, initializer_range=0.02)
MODELS = {
    'bert_mlm': ('bert', 'bert_config.json', SIZES, dict(with_mlm=True)),
    'bert_nsp': ('bert', 'bert_config.json', SIZES, dict(with_pool=True, with_nsp=True)),
    'albert': ('albert', 'albert_config.json', dict(SIZES, embedding_size=6), dict(with_pool=True, with_mlm=True)),
}


def keras2(source, target):
    """The same file under the numbers of Keras 2."""
    with h5py.File(source) as old, h5py.File(target, 'w') as new:
        new.attrs['layer_names'] = old.attrs['layer_names']
        count = 0
        for layer in old.attrs['layer_names']:
            names = list(old[layer].attrs['weight_names'])
            numbers = {}
            for i, name in enumerate(names):
                part = re.search(r'/(dense(?:_\d+)?)/', name)
                if part:
                    numbers.setdefault(part[1], count + len(numbers) + 1)
                    names[i] = name.replace(part[0], f'/dense_{numbers[part[1]]}/')
            count += len(numbers)
            group = new.create_group(layer)
            group.attrs['weight_names'] = names
            for own, name in zip(old[layer].attrs['weight_names'], names):
                group[name] = old[layer][own][()]


for at, (name, (kind, config, sizes, heads)) in enumerate(MODELS.items()):
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, config), 'w') as file:
        json.dump(sizes, file, indent=1)
    model = build_transformer_model(os.path.join(folder, config), model=kind, **heads)
    rng = np.random.default_rng(at)
    model.set_weights([
        rng.normal(1.0 if 'gamma' in w.name else 0.0, 0.3, w.shape).astype(np.float32) for w in model.weights
    ])
    model.save_weights(os.path.join(folder, 'best_model.weights'), save_format='h5')
    ids = rng.integers(1, 31, (2, 7))
    ids[1, 5:] = 0
    segments = rng.integers(0, 2, ids.shape)
    last = [l for l in model.layers if l.name.endswith('FeedForward-Norm')][-1]
    # A layer that is shared has an output for each use.
    outputs = {'last_hidden_state': last.get_output_at(-1) if kind == 'albert' else last.output}
    if 'with_mlm' in heads:
        outputs['prediction_logits'] = model.get_layer('MLM-Bias').output
    if 'with_pool' in heads:
        outputs['pooler_output'] = model.get_layer('Pooler-Dense').output
    values = keras.models.Model(model.inputs, list(outputs.values())).predict([ids, segments])
    values = values if isinstance(values, list) else [values]
    golden = dict(zip(outputs, values))
    if 'with_nsp' in heads:
        kernel, bias = model.get_layer('NSP-Proba').get_weights()
        golden['sop_logits'] = golden['pooler_output'] @ kernel + bias
    golden = {key: np.ascontiguousarray(value.astype(np.float32)) for key, value in golden.items()}
    golden.update(input_ids=ids.astype(np.int64), token_type_ids=segments.astype(np.int64),
                  attention_mask=(ids > 0).astype(np.int64))
    save_file(golden, os.path.join(folder, 'golden.safetensors'))
keras2(os.path.join(out, 'bert_mlm', 'best_model.weights'), os.path.join(out, 'keras2.weights'))
