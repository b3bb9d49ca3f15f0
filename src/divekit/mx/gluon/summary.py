"""The table that ``Block.summary`` prints."""

from typing import TYPE_CHECKING, Any

from divekit.mx.array import ndarray

if TYPE_CHECKING:
    from divekit.mx.gluon.block import Block

WIDTH = 80


def print_summary(block: "Block", inputs: tuple[Any, ...]) -> None:
    """Run the block on ``inputs`` and print a line for every layer, in order of their results."""
    from divekit.mx.gluon.sequential import HybridSequential, Sequential

    lines: list[tuple[str, Any, int]] = [("Input", _shapes(inputs), 0)]
    seen: dict[int, int] = {}  # a parameter's number: how many blocks have it
    handles = []

    def note(called: "Block", inputs: Any, result: Any) -> None:
        own = {p.number: p for p in called.params.values()}
        lines.append((f"{type(called).__name__}-{len(lines)}", _shapes(result), _count(own)))
        for number in own:
            seen[number] = seen.get(number, 0) + 1

    def watch(one: "Block") -> None:
        if not isinstance(one, Sequential | HybridSequential):
            handles.append(one.register_forward_hook(note))

    block.apply(watch)
    try:
        block(*inputs)
    finally:
        for handle in handles:
            handle.detach()
    _print(lines, {p.number: p for p in block.collect_params().values()}, seen)


def _print(lines: list[tuple[str, Any, int]], every: dict[int, Any], seen: dict[int, int]) -> None:
    print("-" * WIDTH)  # noqa: T201  (what summary is for)
    print(f"{'Layer (type)':>20}  {'Output Shape':>42} {'Param #':>15}")  # noqa: T201
    print("=" * WIDTH)  # noqa: T201
    for name, shape, count in lines:
        print(f"{name:>20}  {shape!s:>42} {count:>15}")  # noqa: T201
    print("=" * WIDTH)  # noqa: T201
    trained = _count({number: p for number, p in every.items() if p.grad_req != "null"})
    shared = sum(_count({n: every[n]}) * (times - 1) for n, times in seen.items() if n in every)
    total = _count(every)
    print(f"Total params: {total}")  # noqa: T201
    print(f"Trainable params: {trained}")  # noqa: T201
    print(f"Non-trainable params: {total - trained}")  # noqa: T201
    print(f"Shared params in forward computation graph: {shared}")  # noqa: T201
    print("-" * WIDTH)  # noqa: T201


def _shapes(value: Any) -> Any:
    if isinstance(value, ndarray):
        return value.shape
    if isinstance(value, list | tuple):
        found = [_shapes(one) for one in value]
        return found[0] if len(found) == 1 else found
    return None


def _count(parameters: dict[int, Any]) -> int:
    return sum(p.list_data()[0].size for p in parameters.values())
