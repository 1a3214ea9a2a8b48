/** The options that every layer takes beside its own, and the refusal of those that it does not take. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { checkImageKeys } from '../spec/index.js';

/** What every layer takes: name, inputShape, trainable and the like. */
export type LayerArgs = NonNullable<ConstructorParameters<typeof tfl.layers.Layer>[0]>;

const LAYER_OPTIONS = [
  'name',
  'trainable',
  'inputShape',
  'batchInputShape',
  'batchSize',
  'dtype',
  'inputDType',
  'weights',
] as const satisfies readonly (keyof LayerArgs)[];

/**
 * Refuses options that a layer does not have.
 *
 * @param title The layer as messages call it.
 * @param args What its constructor received.
 * @param own The names of its options beside those of every layer.
 * @throws InvalidArgumentError naming the option and listing the legal ones; also for channels first.
 */
export function checkLayerKeys(title: string, args: unknown, own: readonly string[]): void {
  // tfjs adds customObjects to the configuration of every layer that it loads.
  checkImageKeys(title, args, [...own, ...LAYER_OPTIONS], ['customObjects']);
}
