import type { Tensor } from '../protocols/tensors.ts';

/** Puts the rows of several requests together, input by input. All must have the same inputs in the same order, alike but for the number of rows. */
export function joinRows(requests: readonly (readonly Tensor[])[]): Tensor[] {
  const [first = []] = requests;
  return first.map((input, at) => {
    const parts = requests.flatMap((inputs) => inputs[at] ?? []);
    const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
    return { ...input, shape: [rows, ...input.shape.slice(1)], data: joinData(parts) };
  });
}

/** Gives each request its rows of every output back. */
export function splitRows(outputs: readonly Tensor[], rowsOfEach: readonly number[]): Tensor[][] {
  const total = rowsOfEach.reduce((sum, rows) => sum + rows, 0);
  let start = 0;
  return rowsOfEach.map((rows) => {
    const from = start;
    start += rows;
    return outputs.map((output) => sliceRows(output, from, start, total));
  });
}

function joinData(parts: readonly Tensor[]): Tensor['data'] {
  const datas = parts.map((part) => part.data);
  if (datas.every((data) => data instanceof Uint8Array)) {
    const joined = new Uint8Array(datas.reduce((sum, data) => sum + data.length, 0));
    let at = 0;
    for (const data of datas) {
      joined.set(data, at);
      at += data.length;
    }
    return joined;
  }
  return datas.flatMap((data) => (data instanceof Uint8Array ? [] : data));
}

function sliceRows(output: Tensor, from: number, to: number, total: number): Tensor {
  const shape = [to - from, ...output.shape.slice(1)];
  if (output.shape[0] !== total)
    throw new Error(`${output.name} has ${output.shape[0]} rows for ${total} of the inputs`);
  const perRow = total === 0 ? 0 : output.data.length / total;
  return { ...output, shape, data: output.data.slice(from * perRow, to * perRow) };
}
