/** A network up to its logits, from which losses are computed. */
import * as tfl from '@tensorflow/tfjs-layers';
import { logits } from '../models/index.js';

/** The same layers and weights with the logits as outputs; with deep supervision one output per head, the prediction last. */
export function logitsModel(model: tfl.LayersModel): tfl.LayersModel {
  return tfl.model({ inputs: model.inputs, outputs: logits(model), name: `${model.name}_logits` });
}
