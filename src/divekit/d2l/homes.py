"""Where every name of the book's package comes from, and what divekit has for it."""

from dataclasses import dataclass

from divekit.errors import unknown_name


@dataclass(frozen=True)
class Home:
    """One name of the package ``d2l``."""

    name: str
    section: str
    """The section of the book that defines it."""
    home: str
    """What to use in new code; empty for names of later chapters."""


_HOMES = {
    "use_svg_display": ("2.4", "nothing: divekit.plot's figures are sharp wherever they are shown"),
    "set_figsize": ("2.4", "nothing: divekit.plot chooses the size"),
    "set_axes": ("2.4", "divekit.plot.lines(...)"),
    "plot": ("2.4", "divekit.plot.lines(...)"),
    "Timer": ("3.1", "divekit.evaluate.timing"),
    "synthetic_data": ("3.2", "divekit.data.SyntheticRegression"),
    "linreg": ("3.2", "divekit.models.LinearRegressionScratch"),
    "squared_loss": ("3.2", "divekit.nn.losses, torch.nn.MSELoss"),
    "sgd": ("3.2", "divekit.optim.SGDScratch, torch.optim.SGD"),
    "load_array": ("3.3", "divekit.data.Batches(*tensors, batch_size=...)"),
    "get_fashion_mnist_labels": ("3.5", "data.facts.class_names"),
    "show_images": ("3.5", "divekit.plot.images(images, labels)"),
    "get_dataloader_workers": ("3.5", "nothing: divekit.data.Batches needs no worker processes"),
    "load_data_fashion_mnist": ("3.5", "divekit.data.FashionMNIST(batch_size=...).open()"),
    "accuracy": ("3.6", "divekit.evaluate.accuracy"),
    "evaluate_accuracy": ("3.6", "run.evaluate()"),
    "Accumulator": ("3.6", "divekit.train keeps the means of a run: run.history"),
    "Animator": ("3.6", "divekit.watch.Live, which fit uses in notebooks by itself"),
    "train_epoch_ch3": ("3.6", "divekit.fit(recipe)"),
    "train_ch3": ("3.6", "divekit.fit(recipes.softmax_regression())"),
    "predict_ch3": ("3.6", "run.predict(images), divekit.plot.images(...)"),
    "evaluate_loss": ("4.4", "run.evaluate()"),
    "DATA_HUB": ("4.10", "divekit data list"),
    "DATA_URL": ("4.10", "divekit data list"),
    "download": ("4.10", "divekit.data.hub.fetch, divekit data get NAME"),
    "download_extract": ("4.10", "divekit.data.folders.fetch_folder"),
    "download_all": ("4.10", "divekit data get NAME"),
    "try_gpu": ("5.6", "fit(recipe, device='auto')"),
    "try_all_gpus": ("5.6", "torchrun -m divekit train RECIPE"),
    "corr2d": ("6.2", "divekit.nn.cross_correlate"),
    "evaluate_accuracy_gpu": ("6.6", "run.evaluate()"),
    "train_ch6": ("6.6", "divekit.fit(recipes.lenet())"),
    "Residual": ("7.6", "divekit.models.ResNet"),
}

_LATER = {
    "8.2": "Vocab count_corpus load_corpus_time_machine read_time_machine tokenize",
    "8.3": "SeqDataLoader load_data_time_machine seq_data_iter_random seq_data_iter_sequential",
    "8.5": "RNNModelScratch grad_clipping predict_ch8 train_ch8 train_epoch_ch8",
    "8.6": "RNNModel",
    "9.5": "build_array_nmt load_data_nmt preprocess_nmt read_data_nmt tokenize_nmt truncate_pad",
    "9.6": "Decoder Encoder EncoderDecoder",
    "9.7": "MaskedSoftmaxCELoss Seq2SeqEncoder bleu predict_seq2seq sequence_mask train_seq2seq",
    "10.1": "show_heatmaps",
    "10.3": "AdditiveAttention DotProductAttention masked_softmax",
    "10.4": "AttentionDecoder",
    "10.5": "MultiHeadAttention transpose_output transpose_qkv",
    "10.6": "PositionalEncoding",
    "10.7": "AddNorm EncoderBlock PositionWiseFFN TransformerEncoder",
    "11.1": "annotate",
    "11.3": "show_trace_2d train_2d",
    "11.5": "get_data_ch11 train_ch11 train_concise_ch11",
    "12.1": "Benchmark",
    "12.5": "split_batch",
    "12.6": "evaluate_accuracy_gpus resnet18",
    "13.1": "train_batch_ch13 train_ch13",
    "13.3": "bbox_to_rect box_center_to_corner box_corner_to_center",
    "13.4": "assign_anchor_to_bbox box_iou multibox_detection multibox_prior multibox_target nms "
    "offset_boxes offset_inverse show_bboxes",
    "13.6": "BananasDataset load_data_bananas read_data_bananas",
    "13.9": "VOCSegDataset VOC_CLASSES VOC_COLORMAP load_data_voc read_voc_images "
    "voc_colormap2label voc_label_indices voc_rand_crop",
    "13.13": "copyfile read_csv_labels reorg_test reorg_train_valid",
    "14.3": "RandomGenerator batchify get_centers_and_contexts get_negatives load_data_ptb "
    "read_ptb subsampling",
    "14.7": "TokenEmbedding",
    "14.8": "BERTEncoder BERTModel MaskLM NextSentencePred get_tokens_and_segments",
    "14.9": "load_data_wiki",
    "15.1": "load_data_imdb read_imdb",
    "15.2": "predict_sentiment",
    "15.4": "SNLIDataset load_data_snli read_snli",
    "15.5": "predict_snli split_batch_multi_inputs",
    "16.2": "load_data_ml100k read_data_ml100k split_and_load_ml100k split_data_ml100k",
    "16.3": "train_recsys_rating",
    "16.5": "BPRLoss HingeLossbRec",
    "16.6": "evaluate_ranking hit_and_auc train_ranking",
    "16.8": "CTRDataset",
    "17.1": "update_D update_G",
}

HOMES: dict[str, Home] = {
    **{name: Home(name, section, home) for name, (section, home) in _HOMES.items()},
    **{
        name: Home(name, section, "") for section, names in _LATER.items() for name in names.split()
    },
}
"""Every name by itself. Aliases of NumPy's and torch's functions are left out."""

_SAME_IN_TORCH = (
    "abs arange cos cosh exp eye float32 int32 linspace log matmul meshgrid normal ones rand sin "
    "sinh stack tanh tensor zeros"
)
_OTHERS_IN_TORCH = {
    "argmax": "x.argmax(...)",
    "astype": "x.to(dtype)",
    "concat": "torch.cat",
    "numpy": "x.detach().numpy()",
    "reduce_sum": "x.sum(...)",
    "reshape": "x.reshape(...)",
    "size": "x.numel()",
    "to": "x.to(device)",
    "transpose": "x.T",
}
ALIASES: dict[str, Home] = {
    **{name: Home(name, "", f"torch.{name}") for name in _SAME_IN_TORCH.split()},
    **{name: Home(name, "", home) for name, home in _OTHERS_IN_TORCH.items()},
}
"""Other names for functions of arrays, and of tensors: no section defines them."""


def find(name: str) -> Home:
    """Give what is known of ``d2l.NAME``. Raises UsageError for a name that d2l does not have."""
    name = name.removeprefix("d2l.")
    known = HOMES | ALIASES
    if name not in known:
        raise unknown_name("name in d2l", name, known)
    return known[name]
