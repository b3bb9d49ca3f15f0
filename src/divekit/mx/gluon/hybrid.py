"""``HybridBlock``: a block whose shapes are found out by itself, and that can be exported."""

import os
from typing import Any

from divekit.mx import files, nd
from divekit.mx.array import ndarray
from divekit.mx.calls import apply, explained
from divekit.mx.context import Context
from divekit.mx.errors import MXNetError, ShapeError, not_here
from divekit.mx.gluon.block import Block
from divekit.mx.gluon.constant import Constant
from divekit.mx.gluon.parameter import DeferredInitializationError, Parameter


class HybridBlock(Block):
    """A block that MXNet could compile.

    Subclasses write ``forward(self, x)``, or in the older manner ``hybrid_forward(self, F, x,
    weight, ...)``, which is handed the parameters that are attributes by their names; ``F.np`` and
    ``F.npx`` are ``np`` and ``npx``. A block with shapes to find out writes ``infer_shape``.
    """

    def __init__(self, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self._active = False
        self._seen: tuple[Any, ...] | None = None

    def register_child(self, block: Block, name: str | None = None) -> None:
        """Take a block in, which must be hybrid too."""
        if not isinstance(block, HybridBlock):
            raise ValueError(
                f"the blocks inside a HybridBlock are HybridBlocks, {type(block).__name__} is "
                "not; derive it from HybridBlock, or this one from Block"
            )
        super().register_child(block, name)

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Note that ``export`` may follow. Nothing is compiled: torch runs layers one by one."""
        self._active, self._seen = active, None
        super().hybridize(active, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._active and self._seen is None:
            self._seen = args
        try:
            return super().__call__(*args, **kwargs)
        except DeferredInitializationError:
            if all(p._deferred is None for p in self._reg_params.values()):
                raise
        self._finish(*args)
        return super().__call__(*args, **kwargs)

    def _finish(self, *args: Any) -> None:
        self.infer_shape(*args)
        for parameter in self._reg_params.values():
            parameter.finish()

    def infer_shape(self, *args: Any) -> None:
        """Set the shapes of this block's own parameters from the inputs."""
        unknown = [p for p in self._reg_params.values() if not p.shape_is_known]
        if unknown:
            raise MXNetError(
                f"the shape of {unknown[0].name!r} is {unknown[0].shape}: give it whole, or write "
                f"infer_shape(self, *inputs) in {type(self).__name__}, which sets parameter.shape"
            )

    def forward(self, x: Any, *args: Any) -> Any:
        """Call ``hybrid_forward`` with the parameters on the device of ``x``."""
        where = self.where(x)
        parameters = {name: p.data(where) for name, p in self._reg_params.items()}
        return self.hybrid_forward(nd, x, *args, **parameters)

    def hybrid_forward(self, F: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the block's result; subclasses write it, or ``forward``."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, x)")

    def where(self, x: Any) -> Context:
        """Give the device of an input, whose parameters are to be used."""
        if not isinstance(x, ndarray):
            raise TypeError(
                f"{self.name} takes arrays of mx.np, not {type(x).__name__}; np.array(...) makes "
                "one"
            )
        return x.ctx

    def export(self, path: str, epoch: int = 0, remove_amp_cast: bool = True) -> tuple[str, str]:
        """Write ``path-symbol.pt2``, the network for ``torch.export.load``, and its parameters.

        The parameters go to ``path-0000.params`` as MXNet named them. Call ``hybridize()`` and
        the block once before: the program is for inputs like those of that call, with any number
        of examples where torch finds that the network allows it. Of several inputs, those that
        began with an axis of 1 keep it.
        """
        import torch

        if not self._active or self._seen is None:
            raise RuntimeError("call hybridize() and then the block once before export()")
        parameters = {}
        for name, parameter in self.collect_params().items():
            kept = isinstance(parameter, Constant) or parameter.grad_req == "null"
            parameters[f"{'aux' if kept else 'arg'}:{name}"] = parameter.reduced()
        weights = f"{path}-{epoch:04d}.params"
        files.save(weights, parameters)
        inputs = tuple(array.tensor.detach() for array in self._seen)
        if len(inputs) == 1 and inputs[0].ndim and len(inputs[0]) == 1:
            # Torch takes an axis of 1 to be fixed; with two examples it is free.
            inputs = (torch.cat([inputs[0], inputs[0]]),)
        free = torch.export.Dim.AUTO
        axes = tuple({0: free} if tensor.ndim and len(tensor) > 1 else None for tensor in inputs)
        program = torch.export.export(
            self.module.eval(), inputs, dynamic_shapes=(axes,), strict=False
        )
        network = f"{path}-symbol.pt2"
        torch.export.save(program, network)
        return network, weights

    def optimize_for(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: MXNet's back ends are not here."""
        raise not_here("HybridBlock.optimize_for", "torch.compile(block.module)")


class SymbolBlock(HybridBlock):
    """Blocks made of symbols, which are not here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise not_here(
            "SymbolBlock",
            "build the block in Python and call load_parameters on the .params file; "
            "torch.export.load reads what export wrote",
        )

    @staticmethod
    def imports(symbol_file: str | os.PathLike[str], *args: Any, **kwargs: Any) -> Any:
        """Refuse, since symbols are not read."""
        return SymbolBlock()


class Layer(HybridBlock):
    """What the layers of ``gluon.nn`` share: one function of tensors, called with parameters."""

    def compute(self, function: Any, x: Any, *args: Any) -> Any:
        """Call a function of tensors; say which layer it was if the shapes are wrong."""
        try:
            return apply(function, x, *args)
        except (RuntimeError, IndexError) as error:
            raise explained(self.name, error, [x, *args]) from None

    def parameter(self, name: str, shape: Any, init: Any, dtype: Any, **kwargs: Any) -> Parameter:
        """Make a parameter, or take the shared one."""
        return self.params.get(
            name, shape=shape, init=init, dtype=dtype, allow_deferred_init=True, **kwargs
        )


def axis_size(block: Block, x: Any, axis: int) -> int:
    """Give the size of one axis of an input."""
    if not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"{block.name} needs axis {axis}, its input has shape {x.shape}")
    return int(x.shape[axis])
