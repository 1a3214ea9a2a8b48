/** Every call of a layer in a model with its shapes, found from the symbolic tensors: nothing runs. */
import * as tfl from '@tensorflow/tfjs-layers';

/** One use of a layer. */
export interface LayerCall {
  readonly layer: tfl.layers.Layer;
  /** Name of the layer; in a nested model behind the names of the models around it. */
  readonly name: string;
  /** Shapes for one image: the batch is 1. */
  readonly inputShapes: readonly tfl.Shape[];
  readonly outputShapes: readonly tfl.Shape[];
}

const shapeList = (shapes: tfl.Shape | tfl.Shape[]): tfl.Shape[] =>
  Array.isArray(shapes[0]) ? (shapes as tfl.Shape[]) : [shapes as tfl.Shape];

function walk(
  model: tfl.LayersModel,
  inputShapes: readonly tfl.Shape[],
  prefix: string,
  record: (call: LayerCall) => void,
): tfl.Shape[] {
  const inputs = new Map<tfl.SymbolicTensor, tfl.Shape>();
  for (const [i, tensor] of model.inputs.entries()) {
    const shape = inputShapes[i] ?? tensor.shape;
    inputs.set(tensor, shape);
    const layer = tensor.sourceLayer;
    record({ layer, name: prefix + layer.name, inputShapes: [shape], outputShapes: [shape] });
  }
  // A layer that is applied again makes another node with other shapes.
  const nodes = new Map<string, readonly tfl.Shape[]>();
  const shapeOf = (tensor: tfl.SymbolicTensor): tfl.Shape => {
    const given = inputs.get(tensor);
    if (given !== undefined) return given;
    const { sourceLayer: layer, nodeIndex, tensorIndex } = tensor;
    const key = `${layer.id} ${nodeIndex}`;
    const outputShapes = nodes.get(key) ?? call(layer, tensor.inputs.map(shapeOf));
    nodes.set(key, outputShapes);
    return outputShapes[tensorIndex] ?? tensor.shape;
  };
  const call = (layer: tfl.layers.Layer, shapes: readonly tfl.Shape[]): readonly tfl.Shape[] => {
    const name = prefix + layer.name;
    if (layer instanceof tfl.LayersModel) return walk(layer, shapes, `${name}/`, record);
    const [only] = shapes;
    const outputShapes = shapeList(
      layer.computeOutputShape(shapes.length === 1 && only !== undefined ? only : [...shapes]),
    );
    record({ layer, name, inputShapes: shapes, outputShapes });
    return outputShapes;
  };
  return model.outputs.map(shapeOf);
}

/**
 * Lists the calls of all layers in the order in which the model computes them; nested models are walked through.
 *
 * @param model A built model.
 * @param inputShapes One shape [1, ...] per input of the model, without null.
 */
export function layerCalls(
  model: tfl.LayersModel,
  inputShapes: readonly tfl.Shape[],
): { calls: LayerCall[]; outputShapes: tfl.Shape[] } {
  const calls: LayerCall[] = [];
  const outputShapes = walk(model, inputShapes, '', (call) => calls.push(call));
  return { calls, outputShapes };
}
