import type { Rng } from '../../../kernel/rng.ts';

/** The extents of what passes between layers. In memory: row by row, pixel by pixel, the channels of a pixel side by side. */
export interface Shape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Numbers that are learnt, and after a backward pass the slope of the loss along each. Both keep their memory for ever. */
export interface Parameter {
  readonly values: Float32Array;
  readonly gradients: Float32Array;
}

/** One batch on its way through the layers. */
export interface Pass {
  readonly images: number;
  /** Chance, while learning; null when answering, which must not depend on it. */
  readonly rng: Rng | null;
}

/** One step of a network, for batches of any size. What it returns is its own memory and holds until its next call. */
export interface Layer {
  readonly output: Shape;
  readonly parameters: readonly Parameter[];
  /** What one image costs. */
  readonly multiplyAdds: number;
  forward(input: Float32Array, pass: Pass): Float32Array;
  /**
   * From the slopes of the loss along the outputs of the `forward` just before to those along its inputs, which are
   * returned, and along the parameters, whose `gradients` are overwritten.
   */
  backward(slopes: Float32Array, pass: Pass): Float32Array;
}

/** How many numbers a shape holds. */
export function sizeOf(shape: Shape): number {
  return shape.height * shape.width * shape.channels;
}

/** Memory that is used again from batch to batch. A view of it begins with whatever the last user left. */
export function scratch(): (size: number) => Float32Array {
  let memory = new Float32Array(0);
  return (size) => {
    if (memory.length < size) memory = new Float32Array(size);
    return memory.length === size ? memory : memory.subarray(0, size);
  };
}
