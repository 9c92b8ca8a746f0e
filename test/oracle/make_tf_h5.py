"""Makes the tf_model.h5 fixtures: small random models of transformers' TensorFlow classes and what they compute.

    python test/oracle/make_tf_h5.py test/fixtures/formats/h5

Needs transformers 4 before 4.50 with tensorflow 2.15. Every weight is noise of its own, biases and LayerNorms too.
"""
import os
import sys

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['TF_ENABLE_ONEDNN_OPTS'] = '0'
import numpy as np
import tensorflow as tf
import transformers
from safetensors.numpy import save_file

SIZES = dict(vocab_size=31, hidden_size=8, num_attention_heads=2, intermediate_size=12, max_position_embeddings=10,
             hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, num_labels=3)
ALBERT = dict(SIZES, embedding_size=6, num_hidden_layers=3, num_hidden_groups=1, hidden_act='gelu_new')
GROUPS = dict(ALBERT, num_hidden_layers=4, num_hidden_groups=2, inner_group_num=2, hidden_act='gelu')
BERT = dict(SIZES, num_hidden_layers=2, hidden_act='gelu')
MODELS = {
    'TFAlbertModel': GROUPS, 'TFAlbertForPreTraining': ALBERT, 'TFAlbertForMaskedLM': ALBERT,
    'TFAlbertForSequenceClassification': ALBERT, 'TFAlbertForTokenClassification': ALBERT,
    'TFAlbertForQuestionAnswering': ALBERT, 'TFAlbertForMultipleChoice': ALBERT,
    'TFBertModel': BERT, 'TFBertForPreTraining': BERT, 'TFBertForMaskedLM': BERT,
    'TFBertForNextSentencePrediction': BERT, 'TFBertForSequenceClassification': BERT,
    'TFBertForTokenClassification': BERT, 'TFBertForQuestionAnswering': BERT, 'TFBertForMultipleChoice': BERT,
}


def golden(model, name, rng):
    shape = (2, 3, 7) if name.endswith('MultipleChoice') else (2, 7)
    mask = np.ones(shape, np.int64)
    mask[1, ..., 5:] = 0
    if name == 'TFAlbertModel':
        # What a row computes in which nothing is seen depends on what masking adds.
        mask[0] = 0
    inputs = dict(input_ids=rng.integers(0, SIZES['vocab_size'], shape), attention_mask=mask,
                  token_type_ids=rng.integers(0, 2, shape))
    outputs = model(**{k: tf.constant(v, tf.int32) for k, v in inputs.items()}, output_hidden_states=True)
    found = dict(inputs)
    for key, value in outputs.items():
        if key == 'hidden_states':
            found.update({f'hidden_states_{i}': v.numpy() for i, v in enumerate(value)})
        elif value is not None and key != 'loss':
            key = {'seq_relationship_logits': 'sop_logits'}.get(key, key)
            if name.endswith('NextSentencePrediction') and key == 'logits':
                key = 'sop_logits'
            if name.endswith('ForMaskedLM') and key == 'logits':
                key = 'prediction_logits'
            found[key] = value.numpy()
    return {key: np.ascontiguousarray(value) for key, value in found.items()}


def main(directory):
    for seed, (name, sizes) in enumerate(MODELS.items()):
        rng = np.random.default_rng(seed)
        if name.endswith(('QuestionAnswering', 'NextSentencePrediction', 'PreTraining')):
            sizes = dict(sizes, num_labels=2)
        config = (transformers.AlbertConfig if 'Albert' in name else transformers.BertConfig)(**sizes)
        model = getattr(transformers, name)(config)
        model(model.dummy_inputs)
        for variable in model.weights:
            center = 1.0 if 'gamma' in variable.name else 0.0
            variable.assign(rng.normal(center, 0.3, variable.shape).astype(np.float32))
        folder = os.path.join(directory, name)
        model.save_pretrained(folder)
        save_file(golden(model, name, rng), os.path.join(folder, 'golden.safetensors'))


main(sys.argv[1])
