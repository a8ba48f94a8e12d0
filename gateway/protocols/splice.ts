import type { HeaderList } from '../pipeline/headers.ts';

/** A place in a text, from `start` to before `end`, and what shall stand there. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly by: Uint8Array;
}

/** The text with other bytes in that place. */
export function spliced(text: Uint8Array, { start, end, by }: Splice): Buffer {
  return Buffer.concat([text.subarray(0, start), by, text.subarray(end)]);
}

/** How many bytes longer a text gets; below 0 where it gets shorter. */
export function grownBytes({ start, end, by }: Splice): number {
  return by.length - (end - start);
}

/** The headers of an answer that has grown: those that count its bytes, named in lower case, count the new ones. */
export function withLengths(headers: HeaderList, lengthHeaders: readonly string[], grown: number): HeaderList {
  return headers.map((value, at) => {
    const name = at % 2 === 1 ? headers[at - 1] : undefined;
    return name !== undefined && lengthHeaders.includes(name.toLowerCase()) ? String(Number(value) + grown) : value;
  });
}
