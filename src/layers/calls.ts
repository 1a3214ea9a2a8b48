/** Every call of a layer in a model with its shapes, found from the symbolic tensors: nothing runs. */
import * as tfl from '@tensorflow/tfjs-layers';

/** A map between two calls. */
export interface CallOutput {
  /** The call that makes it. */
  readonly call: LayerCall;
  /** Which of its outputs. */
  readonly index: number;
  /** For one image: the batch is 1. */
  readonly shape: tfl.Shape;
}

/** One use of a layer. */
export interface LayerCall {
  readonly layer: tfl.layers.Layer;
  /** Name of the layer; in a nested model behind the names of the models around it. */
  readonly name: string;
  /** What it reads; empty for an input of the model. */
  readonly inputs: readonly CallOutput[];
  /** Shapes for one image: the batch is 1. */
  readonly inputShapes: readonly tfl.Shape[];
  readonly outputShapes: readonly tfl.Shape[];
}

const shapeList = (shapes: tfl.Shape | tfl.Shape[]): tfl.Shape[] =>
  Array.isArray(shapes[0]) ? (shapes as tfl.Shape[]) : [shapes as tfl.Shape];

const outputsOf = (call: LayerCall): CallOutput[] => call.outputShapes.map((shape, index) => ({ call, index, shape }));

function walk(
  model: tfl.LayersModel,
  inputs: readonly CallOutput[],
  prefix: string,
  record: (call: LayerCall) => void,
): CallOutput[] {
  const given = new Map(model.inputs.map((tensor, i) => [tensor, inputs[i]]));
  // A layer that is applied again makes another node with other shapes.
  const nodes = new Map<string, readonly CallOutput[]>();
  const outputOf = (tensor: tfl.SymbolicTensor): CallOutput => {
    const input = given.get(tensor);
    if (input !== undefined) return input;
    const { sourceLayer: layer, nodeIndex, tensorIndex } = tensor;
    const key = `${layer.id} ${nodeIndex}`;
    const outputs = nodes.get(key) ?? call(layer, tensor.inputs.map(outputOf));
    nodes.set(key, outputs);
    const output = outputs[tensorIndex];
    if (output === undefined) throw new Error(`Layer ${layer.name} has no output ${tensorIndex}.`);
    return output;
  };
  const call = (layer: tfl.layers.Layer, values: readonly CallOutput[]): readonly CallOutput[] => {
    const name = prefix + layer.name;
    if (layer instanceof tfl.LayersModel) return walk(layer, values, `${name}/`, record);
    const inputShapes = values.map(({ shape }) => shape);
    const [only] = inputShapes;
    const outputShapes = shapeList(
      layer.computeOutputShape(inputShapes.length === 1 && only !== undefined ? only : inputShapes),
    );
    const made: LayerCall = { layer, name, inputs: values, inputShapes, outputShapes };
    record(made);
    return outputsOf(made);
  };
  return model.outputs.map(outputOf);
}

/**
 * Lists the calls of all layers in the order in which the model computes them; nested models are walked through.
 *
 * @param model A built model.
 * @param inputShapes One shape [1, ...] per input of the model, without null.
 * @returns The calls, those of the model's inputs first, and what the model returns.
 */
export function layerCalls(
  model: tfl.LayersModel,
  inputShapes: readonly tfl.Shape[],
): { calls: LayerCall[]; outputs: CallOutput[] } {
  const calls: LayerCall[] = [];
  const inputs = model.inputs.flatMap((tensor, i) => {
    const shape = inputShapes[i] ?? tensor.shape;
    const layer = tensor.sourceLayer;
    const call: LayerCall = { layer, name: layer.name, inputs: [], inputShapes: [shape], outputShapes: [shape] };
    calls.push(call);
    return outputsOf(call);
  });
  const outputs = walk(model, inputs, '', (call) => calls.push(call));
  return { calls, outputs };
}
