/** Activations that a pyramidal convolution computes in one pass with itself; their gradient needs the output alone. */
export const ACTIVATIONS = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh'] as const;

export type Activation = (typeof ACTIVATIONS)[number];
