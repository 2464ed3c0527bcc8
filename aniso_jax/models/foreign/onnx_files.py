"""Plain networks in ONNX files: one chain of layers, as a `sequential` network."""

from pathlib import Path
from typing import Any

from aniso_jax.models.checkpoint import CheckpointError
from aniso_jax.models.foreign.importing import Converted
from aniso_jax.models.foreign.inert_pickle import damaged
from aniso_jax.models.foreign.normalization import Normalization, chosen
from aniso_jax.models.foreign.onnx_chain import Node, NotAChain
from aniso_jax.models.foreign.onnx_graph import followed


def read_onnx(path: Path, *, asked: Normalization | None) -> Converted:
    """Read a network layer by layer.

    A softmax at its end is left off, since logits are wanted. Subtractions and divisions before the
    first layer are the normalisation, unless another is asked for, which then comes before them.

    Raises:
        CheckpointError: the package onnx is missing; no such file, damaged, not one chain of known
            layers, its weights in other files, or a normalisation that nobody said.
    """
    graph = _graph(path)
    try:
        chain = followed(*_parts(graph))
    except NotAChain as error:
        raise CheckpointError(
            f"{path} is no plain chain of layers ({error}); build the network in flax and give it "
            "to from_nnx or from_linen."
        ) from error
    begins = chain.layers[0]["kind"] == "affine" if chain.layers else False
    layers = "in the file, as its first layers"
    found = Normalization(kind=layers, mean=(0.0,), std=(1.0,)) if begins and not asked else None
    normalization = chosen(path, found, asked)
    return Converted(
        arch="sequential",
        arch_kwargs={
            "shape": list(chain.shape),
            "classes": chain.map[0],
            "layers": [dict(layer) for layer in chain.layers],
            "mean": list(normalization.mean),
            "std": list(normalization.std),
        },
        tensors=dict(chain.tensors),
        normalization=normalization,
        notes=chain.notes,
    )


def _graph(path: Path) -> Any:
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ModuleNotFoundError as error:
        raise CheckpointError(
            f"{path} is an ONNX file, and reading it needs onnx: pip install 'aniso-jax[onnx]'"
        ) from error
    if not path.is_file():
        raise CheckpointError(f"There is no file {path}; give a checkpoint of torch or ONNX.")
    try:
        graph = onnx.load_model_from_string(path.read_bytes()).graph
    except DecodeError as error:
        raise damaged(path, error) from error
    if not graph.node:
        raise damaged(path, "no layers in it")
    outside = [one.name for one in graph.initializer if one.data_location]
    if outside:
        raise CheckpointError(
            f"{path} keeps its weights ({outside[0]}, ...) in other files; save it as one file: "
            "onnx.save(onnx.load(path), 'net.onnx')."
        )
    return graph


def _parts(graph: Any) -> tuple[str, tuple[int, ...], list[Node], dict[str, Any]]:
    """The input's name and shape (channels, rows, columns), the nodes, and the constants."""
    from onnx import helper, numpy_helper

    constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    inputs = [one for one in graph.input if one.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise NotAChain(f"it has {len(inputs)} inputs and {len(graph.output)} outputs")
    sizes = [d.dim_value for d in inputs[0].type.tensor_type.shape.dim][1:]
    if len(sizes) not in (1, 3) or min(sizes) < 1:
        raise NotAChain(f"its input has the shape {sizes} after the batch")
    nodes = []
    for node in graph.node:
        values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        arrays = {k: numpy_helper.to_array(v) for k, v in values.items() if k == "value"}
        nodes.append(
            Node(
                op=node.op_type,
                name=node.name or node.output[0],
                inputs=tuple(node.input),
                output=node.output[0],
                values=values | arrays,
            )
        )
    return inputs[0].name, tuple(sizes), nodes, constants
