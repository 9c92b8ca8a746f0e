"""Makes the tf-models fixtures: small random pretrainers of official.nlp.modeling with their next-sentence head, models with
its other heads, as checkpoints and as HDF5, and what they compute.

    python test/oracle/make_tf_models.py test/fixtures/formats/tf-models

Needs tf-models-official (2.20, without its dependencies: gin-config, scipy, tensorflow-hub, sentencepiece are enough) with
tensorflow and tf_keras. Every weight is noise of its own, biases and LayerNorms too.
"""
import json
import os
import shutil
import sys

os.environ['TF_USE_LEGACY_KERAS'] = '1'
os.environ['TF_ENABLE_ONEDNN_OPTS'] = '0'
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
import tensorflow as tf
from official.modeling import tf_utils
from official.nlp.modeling import layers, models, networks
from safetensors.numpy import save_file

VOCABULARY, HIDDEN, WIDTH, HEADS, INNER, POSITIONS, SEQUENCE, DEPTH = 31, 8, 6, 2, 12, 10, 7, 3
gelu = tf_utils.get_activation('gelu')


def albert():
    return networks.AlbertEncoder(vocab_size=VOCABULARY, embedding_width=WIDTH, hidden_size=HIDDEN, num_layers=DEPTH,
                                  num_attention_heads=HEADS, max_sequence_length=POSITIONS, type_vocab_size=2,
                                  intermediate_size=INNER, activation=gelu, dropout_rate=0.0,
                                  attention_dropout_rate=0.0)


def bert():
    return networks.BertEncoder(vocab_size=VOCABULARY, hidden_size=HIDDEN, num_layers=DEPTH, inner_dim=INNER,
                                num_attention_heads=HEADS, max_sequence_length=POSITIONS, type_vocab_size=2,
                                inner_activation=gelu, output_dropout=0.0, attention_dropout=0.0)


def pretrainer(encoder):
    head = layers.ClassificationHead(inner_dim=HIDDEN, num_classes=2, name='next_sentence')
    return models.BertPretrainerV2(encoder_network=encoder, mlm_activation=gelu, classification_heads=[head])


def randomise(model, seed):
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        center = 1.0 if 'gamma' in variable.name else 0.0
        variable.assign(rng.normal(center, 0.3, variable.shape).astype(np.float32))


def inputs_of(seed):
    rng = np.random.default_rng(100 + seed)
    shape = (2, SEQUENCE)
    mask = np.ones(shape, np.int32)
    mask[1, 5:] = 0
    return dict(input_word_ids=rng.integers(0, VOCABULARY, shape).astype(np.int32), input_mask=mask,
                input_type_ids=rng.integers(0, 2, shape).astype(np.int32),
                masked_lm_positions=np.tile(np.arange(SEQUENCE, dtype=np.int32), (2, 1)))


def main(directory):
    for seed, (name, make) in enumerate({'albert': albert, 'bert': bert}.items()):
        folder = os.path.join(directory, name + '_pretrainer')
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        model = pretrainer(make())
        inputs = inputs_of(seed)
        model(inputs)
        randomise(model, seed)
        outputs = model(inputs)
        tf.train.Checkpoint(model=model, **model.checkpoint_items).write(os.path.join(folder, 'ckpt'))
        found = dict(input_ids=inputs['input_word_ids'].astype(np.int64), input_mask=inputs['input_mask'].astype(np.int64),
                     segment_ids=inputs['input_type_ids'].astype(np.int64),
                     sequence_output=outputs['sequence_output'].numpy(),
                     pooled_output=outputs['pooled_output'].numpy(),
                     mlm_positions=inputs['masked_lm_positions'].astype(np.int64),
                     mlm_logits=outputs['mlm_logits'].numpy(), sop_logits=outputs['next_sentence'].numpy())
        save_file({k: np.ascontiguousarray(v) for k, v in found.items()}, os.path.join(folder, 'golden.safetensors'))
        write_config(folder, name)
    for seed, (name, (kind, make, extension)) in enumerate(TASKS.items()):
        folder = os.path.join(directory, name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        encoder = {'albert': albert, 'bert': bert}[kind]()
        model = make(encoder)
        inputs = {k: v for k, v in inputs_of(10 + seed).items() if k != 'masked_lm_positions'}
        model(inputs)
        randomise(model, 10 + seed)
        outputs, inner = model(inputs), encoder(inputs)
        if extension == 'h5':
            model.save_weights(os.path.join(folder, 'weights.h5'))
        else:
            tf.train.Checkpoint(model=model, **model.checkpoint_items).write(os.path.join(folder, 'ckpt'))
        sequence, pooled = inner if isinstance(inner, list) else (inner['sequence_output'], inner['pooled_output'])
        found = dict(input_ids=inputs['input_word_ids'].astype(np.int64), input_mask=inputs['input_mask'].astype(np.int64),
                     segment_ids=inputs['input_type_ids'].astype(np.int64), sequence_output=sequence.numpy(),
                     pooled_output=pooled.numpy())
        if isinstance(outputs, list):
            found.update(start_logits=outputs[0].numpy(), end_logits=outputs[1].numpy())
        else:
            found.update(logits=(outputs['logits'] if isinstance(outputs, dict) else outputs).numpy())
        save_file({k: np.ascontiguousarray(v) for k, v in found.items()}, os.path.join(folder, 'golden.safetensors'))
        write_config(folder, kind)


TASKS = {
    'albert_classifier': ('albert', lambda e: models.BertClassifier(e, num_classes=3, use_encoder_pooler=False), 'ckpt'),
    'bert_classifier': ('bert', lambda e: models.BertClassifier(e, num_classes=1), 'h5'),
    'albert_tokens': ('albert', lambda e: models.BertTokenClassifier(e, num_classes=2), 'ckpt'),
    'bert_spans': ('bert', lambda e: models.BertSpanLabeler(e), 'ckpt'),
    'albert_spans': ('albert', lambda e: models.BertSpanLabeler(e), 'h5'),
}


def write_config(folder, name):
    sizes = dict(vocab_size=VOCABULARY, hidden_size=HIDDEN, num_hidden_layers=DEPTH, num_attention_heads=HEADS,
                 intermediate_size=INNER, max_position_embeddings=POSITIONS, type_vocab_size=2, hidden_act='gelu')
    if name == 'albert':
        sizes.update(embedding_size=WIDTH, num_hidden_groups=1, inner_group_num=1)
    with open(os.path.join(folder, name + '_config.json'), 'w') as file:
        json.dump(sizes, file, indent=1)


main(sys.argv[1])
