"""``mx.npx``: what MXNet adds to NumPy: activations, layers, sequences, files, devices."""

from typing import Any

from divekit.mx.context import (
    Context,
    cpu,
    cpu_pinned,
    current_context,
    gpu,
    gpu_memory_info,
    num_gpus,
)
from divekit.mx.errors import no_attribute as _no_attribute
from divekit.mx.files import load, save
from divekit.mx.np.random import seed
from divekit.mx.np.selection import nonzero
from divekit.mx.npx import random
from divekit.mx.npx.activations import (
    activation,
    digamma,
    erf,
    erfinv,
    gamma,
    gammaln,
    gelu,
    hard_sigmoid,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    smooth_l1,
    softmax,
    stop_gradient,
)
from divekit.mx.npx.detection import (
    multibox_detection,
    multibox_prior,
    multibox_target,
    roi_pooling,
)
from divekit.mx.npx.layers import (
    batch_norm,
    convolution,
    deconvolution,
    dropout,
    fully_connected,
    group_norm,
    instance_norm,
    layer_norm,
    pooling,
)
from divekit.mx.npx.sequences import (
    arange_like,
    batch_dot,
    batch_flatten,
    broadcast_like,
    embedding,
    gather_nd,
    l2_normalization,
    one_hot,
    pick,
    reshape,
    reshape_like,
    sequence_last,
    sequence_mask,
    sequence_reverse,
    slice_axis,
    topk,
)
from divekit.mx.npx.switches import (
    is_np_array,
    is_np_shape,
    np_array,
    np_shape,
    reset_np,
    set_np,
    use_np,
    use_np_array,
    use_np_shape,
    waitall,
)

Device, device, current_device = Context, Context, current_context

# Names of MXNet's that are missing, and PyTorch's way.
_ELSEWHERE = {
    "rnn": "torch.nn.RNN, GRU and LSTM; here gluon.rnn",
    "ctc_loss": "torch.nn.functional.ctc_loss",
    "foreach": "a loop of Python's",
    "while_loop": "a loop of Python's",
    "cond": "an if of Python's",
    "intgemm_fully_connected": "torch.ao.quantization",
    "savez": "npx.save, or numpy.savez on x.asnumpy()",
    "box_nms": "torchvision.ops.nms",
    "roi_align": "torchvision.ops.roi_align",
    "masked_softmax": "npx.softmax with use_length, or torch.softmax of masked scores",
}


def __getattr__(name: str) -> Any:
    raise _no_attribute("mxnet.npx", name, _ELSEWHERE.get(name))
