"""A CNN-BiLSTM as an ONNX file: raw values in, calibrated probabilities and the last hidden layer out.

ONNX is read by onnxruntime from Python, R, C++, Java and JavaScript, by OpenCV and by browsers. The graph holds all
that stands between a cleaned series and a call: missing values, the network and the temperature. Weights are stored
with half precision and computed with single precision.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from genestrata.models.storage import FittedModel
from genestrata.time_points import experiments_of

# Operators that every onnxruntime of the last years knows.
OPSET = 17
IR_VERSION = 8
# Keras orders the gates of an LSTM input, forget, cell, output; ONNX input, output, forget, cell.
GATES = (0, 3, 1, 2)


class Graph:
    """Nodes and constants of an ONNX graph while it is built; names number themselves."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node; returns the name of its output, or a list of names for several."""
        names = [f"{operator.lower()}_{len(self.nodes)}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, values: Any, dtype: Any = np.int64) -> str:
        """Add a constant; returns its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def weights(self, values: np.ndarray) -> str:
        """Add weights, stored as float16 and used as float32."""
        return self.add("Cast", self.constant(values, np.float16), to=TensorProto.FLOAT)


def to_onnx(model: FittedModel, temperature: float) -> onnx.ModelProto:
    """Translate a fitted cnn_bilstm, layer by layer.

    Input `values` (n, k) float32 in the order of `model.features`, NaN for missing, cleaned as the study says; outputs
    `probabilities` (n, n_classes), scaled by `temperature`, and `embedding` (n, width). The file's metadata names
    features and classes.
    """
    settings, network = model.settings["parameters"], model.estimator.network
    layers = {kind: [layer for layer in network.layers if type(layer).__name__ == kind] for kind in _KINDS}
    graph = Graph()
    lengths = [len(columns) for columns, _ in experiments_of(model.features).values()]
    outputs, length = _channels(graph, settings["mask_missing"], lengths)
    normalisations = layers["BatchNormalization"] or [None] * len(layers["Conv1D"])
    shapes = zip(layers["Conv1D"], normalisations, settings["pool"], strict=True)
    for number, (convolution, normalisation, pool) in enumerate(shapes):
        kernel, bias = _fold(convolution, normalisation)
        if number == 0:
            kernel = kernel * settings["input_scale"]
        before = (kernel.shape[2] - 1) // 2
        pads = [before, kernel.shape[2] - 1 - before]
        outputs = graph.add("Conv", outputs, graph.weights(kernel), graph.weights(bias), pads=pads)
        outputs = graph.add("Relu", outputs)
        if pool > 1:
            after = -length % pool
            pads = [after // 2, after - after // 2]
            outputs = graph.add("MaxPool", outputs, kernel_shape=[pool], strides=[pool], pads=pads)
            length = -(-length // pool)
    # (rows, channels, time) to (time, rows, channels), which recurrence takes.
    outputs = graph.add("Transpose", outputs, perm=[2, 0, 1])
    for recurrent in layers["Bidirectional"]:
        outputs, last = _recurrence(graph, outputs, recurrent)
        width = 2 * recurrent.forward_layer.units
    if settings["summary"] == "flatten":
        outputs, width = graph.add("Transpose", outputs, perm=[1, 0, 2]), width * length
    else:
        outputs = graph.add("Transpose", last, perm=[1, 0, 2])
    outputs = graph.add("Reshape", outputs, graph.constant([-1, width * len(lengths)]))
    *hidden, head = layers["Dense"]
    for dense in hidden:
        outputs = graph.add("Relu", _dense(graph, outputs, dense))
    logits = graph.add("Div", _dense(graph, outputs, head), graph.constant(temperature, np.float32))
    probabilities = graph.add("Softmax", logits, axis=1)
    graph.nodes.append(helper.make_node("Identity", [outputs], ["embedding"]))
    graph.nodes.append(helper.make_node("Identity", [probabilities], ["probabilities"]))
    return _as_model(graph, model)


_KINDS = ("Conv1D", "BatchNormalization", "Bidirectional", "Dense")


def _channels(graph: Graph, mask_missing: bool, lengths: Sequence[int]) -> tuple[str, int]:
    """Values and mask as (n x experiments, channels, time), and the number of time points."""
    missing = graph.add("IsNaN", "values")
    channels = [graph.add("Where", missing, graph.constant(0.0, np.float32), "values")]
    if mask_missing:
        channels.append(graph.add("Cast", graph.add("Not", missing), to=TensorProto.FLOAT))
    axis = graph.constant([1])
    channels = [graph.add("Unsqueeze", channel, axis) for channel in channels]
    outputs = graph.add("Concat", *channels, axis=1) if mask_missing else channels[0]
    longest = max(lengths)
    if len(lengths) == 1:
        return outputs, longest
    parts, start = [], 0
    for size in lengths:
        bounds = (graph.constant([start]), graph.constant([start + size]), graph.constant([2]))
        part = graph.add("Slice", outputs, *bounds)
        if size < longest:
            part = graph.add("Pad", part, graph.constant([0, 0, 0, 0, 0, longest - size]))
        parts.append(graph.add("Unsqueeze", part, axis))
        start += size
    joined = graph.add("Concat", *parts, axis=1)
    return graph.add("Reshape", joined, graph.constant([-1, len(channels), longest])), longest


def _fold(convolution: Any, normalisation: Any) -> tuple[np.ndarray, np.ndarray]:
    """Kernel (out, in, width) and bias of a convolution with the batch normalisation after it, if there is one."""
    kernel, bias = convolution.get_weights()
    if normalisation is None:
        return kernel.transpose(2, 1, 0), bias
    gamma, beta, mean, variance = normalisation.get_weights()
    factor = gamma / np.sqrt(variance + normalisation.epsilon)
    return (kernel * factor).transpose(2, 1, 0), (bias - mean) * factor + beta


def _recurrence(graph: Graph, inputs: str, layer: Any) -> tuple[str, str]:
    """All steps (time, rows, 2 units) and last states (2, rows, units) of a bidirectional LSTM."""
    units = layer.forward_layer.units
    parts = [part.get_weights() for part in (layer.forward_layer, layer.backward_layer)]

    def gates(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values[..., gate * units : (gate + 1) * units] for gate in GATES], axis=-1)

    kernel, recurrent = (np.stack([gates(part[number]).T for part in parts]) for number in (0, 1))
    bias = np.stack([np.concatenate([gates(part[2]), np.zeros(4 * units)]) for part in parts])
    steps, last, _ = graph.add(
        "LSTM",
        inputs,
        *(graph.weights(values) for values in (kernel, recurrent, bias)),
        outputs=3,
        direction="bidirectional",
        hidden_size=units,
    )
    steps = graph.add("Transpose", steps, perm=[0, 2, 1, 3])
    return graph.add("Reshape", steps, graph.constant([0, 0, 2 * units])), last


def _dense(graph: Graph, inputs: str, layer: Any) -> str:
    """A dense layer without its activation."""
    kernel, bias = layer.get_weights()
    return graph.add("Gemm", inputs, graph.weights(kernel), graph.weights(bias))


def _as_model(graph: Graph, model: FittedModel) -> onnx.ModelProto:
    """The finished, checked file."""
    inputs = [helper.make_tensor_value_info("values", TensorProto.FLOAT, ["n", len(model.features)])]
    outputs = [
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(model.class_codes)]),
        helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", None]),
    ]
    body = helper.make_graph(graph.nodes, "cnn_bilstm", inputs, outputs, graph.constants)
    result = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    classes = [model.classes[code] for code in model.class_codes]
    helper.set_model_props(result, {"features": "\t".join(model.features), "classes": "\t".join(classes)})
    onnx.checker.check_model(result, full_check=True)
    return result
