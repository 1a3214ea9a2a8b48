/** Programs for the passes of a batch normalisation over a map with the channels last. */
import type { ConvolutionProgram } from './convolution.js';
import { Buffer, type Place, Program } from './program.js';

/** A map as rows of channels; the channels a multiple of four. */
export interface Rows {
  readonly rows: number;
  readonly channels: number;
}

const outside = (floats: number): Place => new Buffer(4 * floats, 'outside').at();
const map = ({ rows, channels }: Rows): Place => outside(rows * channels);
const float32 = ({ channels }: Rows): Place => outside(channels);
const float64 = ({ channels }: Rows): Place => outside(2 * channels);

/** A program whose tensors are the places, in order. */
function programOf(places: Readonly<Record<string, Place>>, write: (program: Program) => void): ConvolutionProgram {
  const program = new Program();
  write(program);
  program.endStep('batch normalisation', 'rows');
  return { program, tensors: Object.values(places).map(({ buffer }) => buffer) };
}

/** Adds up x - centre and its square. Tensors: x, centre, sums, sums of squares. */
export function sumsProgram(size: Rows): ConvolutionProgram {
  const places = { input: map(size), centre: float32(size), sums: float64(size), products: float64(size) };
  return programOf(places, (program) => program.call('rowSums', { ...places, ...size, count: size.channels }));
}

/** y = factor (x - centre) + shift, a ReLU behind it where asked for. Tensors: x, centre, factor, shift, y. */
export function affineProgram(size: Rows, relu: boolean): ConvolutionProgram {
  const places = {
    input: map(size),
    centre: float32(size),
    factor: float32(size),
    shift: float32(size),
    out: map(size),
  };
  return programOf(places, (program) => program.call('rowAffine', { ...places, ...size, isRelu: relu ? 1 : 0 }));
}

/** Adds up dy and dy (x - centre), dy behind a ReLU where asked for. Tensors: dy, x, y, centre, sums, sums of products. */
export function gradientSumsProgram(size: Rows, relu: boolean): ConvolutionProgram {
  const places = {
    gradient: map(size),
    input: map(size),
    output: map(size),
    centre: float32(size),
    sums: float64(size),
    products: float64(size),
  };
  return programOf(places, (program) =>
    program.call('rowGradientSums', { ...places, ...size, count: size.channels, isMasked: relu ? 1 : 0 }),
  );
}

/** dx = factor dy + slope (x - centre) + shift, dy behind a ReLU where asked for. Tensors: dy, x, y, centre, factor, slope, shift, dx. */
export function gradientProgram(size: Rows, relu: boolean): ConvolutionProgram {
  const places = {
    gradient: map(size),
    input: map(size),
    output: map(size),
    centre: float32(size),
    factor: float32(size),
    slope: float32(size),
    shift: float32(size),
    out: map(size),
  };
  return programOf(places, (program) => program.call('rowGradient', { ...places, ...size, isMasked: relu ? 1 : 0 }));
}
