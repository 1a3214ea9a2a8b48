// What the page trains: a narrow PyConvU-Net on generated images of one seed; the page shows those of others.
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { inference, models } from 'pyconvunet';
import { type PhantomName, phantom, prepareSamples, split, type TrainOptions, train } from 'pyconvunet/training';

const IMAGES = 30;
/** The network's input; images of any size are resized to it, and the masks back. */
const SIZE = 64;

/** A network with random weights, which knows what to do to an image before it sees it. */
export function untrained(task: PhantomName): { model: LayersModel; fit: (options: TrainOptions) => Promise<void> } {
  const { samples, preprocessing } = prepareSamples(phantom(task, { count: IMAGES, size: 2 * SIZE, seed: 1 }), {
    size: SIZE,
  });
  const parts = split(samples, { seed: 1 });
  const model = models.pyConvUNet({ widths: [8, 16], inputShape: [null, null, 1], seed: 1 });
  inference.setMetadata(model, {
    formatVersion: 1,
    network: 'pyconvunet',
    preprocessing,
    classes: ['background', task],
    threshold: 0.5,
  });
  const data = { training: parts.train, validation: parts.validation };
  const recipe = { batchSize: 2, learningRate: 1e-2, loss: 'bce-dice', seed: 1 } as const;
  return {
    model,
    fit: async (options) => {
      await train(model, data, { ...recipe, ...options });
    },
  };
}
