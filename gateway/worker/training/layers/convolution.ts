import type { Rng } from '../../../kernel/rng.ts';
import { type Layer, type Shape, scratch, sizeOf } from './layer.ts';
import { newLinear } from './linear.ts';

/** What a convolution looks at: squares of `kernel` x `kernel` pixels, `stride` apart, on an image with a rim of `padding` zeros. */
export interface Window {
  readonly channels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/**
 * A layer that gives every place of an image the same linear map of the pixels around it. The places' surroundings are
 * copied out into rows ("im2col"), so that the work is one matrix product. Weights are ordered output channel, then as
 * the pixels of a window lie in memory.
 */
export function convolution(input: Shape, window: Window, rng: Rng): Layer {
  const output = outputOf(input, window);
  const places = output.height * output.width;
  const patch = window.kernel * window.kernel * input.channels;
  const linear = newLinear(patch, window.channels, rng);
  const memory = { rows: scratch(), slopes: scratch() };
  let rows = memory.rows(0);
  return {
    output,
    parameters: linear.parameters,
    multiplyAdds: places * patch * window.channels,
    forward(images, pass) {
      rows = memory.rows(pass.images * places * patch);
      rows.fill(0);
      forEachPixelRun(input, window, pass.images, (image, row, length) => {
        for (let at = 0; at < length; at++) rows[row + at] = images[image + at] ?? 0;
      });
      return linear.forward(rows, pass.images * places);
    },
    backward(slopes, pass) {
      const rowSlopes = linear.backward(rows, slopes, pass.images * places);
      const imageSlopes = memory.slopes(pass.images * sizeOf(input));
      imageSlopes.fill(0);
      forEachPixelRun(input, window, pass.images, (image, row, length) => {
        for (let at = 0; at < length; at++)
          imageSlopes[image + at] = (imageSlopes[image + at] ?? 0) + (rowSlopes[row + at] ?? 0);
      });
      return imageSlopes;
    },
  };
}

function outputOf(input: Shape, window: Window): Shape {
  const extent = (from: number): number => Math.floor((from + 2 * window.padding - window.kernel) / window.stride) + 1;
  return { height: extent(input.height), width: extent(input.width), channels: window.channels };
}

/**
 * Calls back for every stretch of memory that a line of a window shares with the images, saying where it begins in the
 * images and in the rows, and its length. What lies on the rim is left out.
 */
function forEachPixelRun(
  input: Shape,
  window: Window,
  images: number,
  call: (image: number, row: number, length: number) => void,
): void {
  const { kernel, stride, padding } = window;
  const output = outputOf(input, window);
  let row = 0;
  for (let place = 0; place < images * output.height * output.width; place++) {
    const image = Math.floor(place / (output.height * output.width));
    const top = (Math.floor(place / output.width) % output.height) * stride - padding;
    const left = (place % output.width) * stride - padding;
    const from = Math.max(left, 0);
    const until = Math.min(left + kernel, input.width);
    for (let y = top; y < top + kernel; y++) {
      if (y >= 0 && y < input.height && until > from) {
        const begin = ((image * input.height + y) * input.width + from) * input.channels;
        call(begin, row + (from - left) * input.channels, (until - from) * input.channels);
      }
      row += kernel * input.channels;
    }
  }
}
