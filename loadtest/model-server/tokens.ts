/** A token is four bytes: near what tokenizers of real models make of English text, and the same for everybody on every machine. */
export const tokenBytes = 4;

/** A prompt as the engine sees it: how long it is, and what its whole blocks are. */
export interface Prompt {
  readonly tokens: number;
  /** A key for each whole block of tokens. It stands for the block and for everything in front of it: equal keys are equal prefixes. */
  readonly blocks: readonly number[];
  /** Stands for all of it: equal keys are equal prompts. */
  readonly key: number;
}

/** A text as tokens: its UTF-8, four bytes at a time. */
export function promptOfText(text: string, blockTokens: number): Prompt {
  return promptOfBytes(Buffer.from(text), blockTokens);
}

/** Token ids as clients may send them instead of a text. */
export function promptOfIds(ids: readonly number[], blockTokens: number): Prompt {
  const words = Uint32Array.from(ids);
  return promptOfBytes(Buffer.from(words.buffer), blockTokens);
}

/**
 * A prompt of a trace that tells no text, only an id for each block of `idTokens` tokens (Mooncake: 512), the last of them perhaps
 * not full. Each id gives as many blocks as fit into it.
 */
export function promptOfTrace(
  ids: readonly number[],
  { tokens, idTokens, blockTokens }: { tokens: number; idTokens: number; blockTokens: number },
): Prompt {
  const words = new Uint32Array(2);
  const bytes = Buffer.from(words.buffer);
  let key = seed;
  const blocks = Array.from({ length: Math.floor(tokens / blockTokens) }, (_, at) => {
    // Where a block spans two ids it is the second that tells it apart.
    const last = Math.floor(((at + 1) * blockTokens - 1) / idTokens);
    words[0] = ids[last] ?? last;
    words[1] = at;
    key = chain(key, bytes, 0, bytes.length);
    return key;
  });
  return { tokens, blocks, key: key + tokens };
}

function promptOfBytes(bytes: Buffer, blockTokens: number): Prompt {
  const blockBytes = blockTokens * tokenBytes;
  const blocks: number[] = [];
  let key = seed;
  for (let at = 0; at + blockBytes <= bytes.length; at += blockBytes) {
    key = chain(key, bytes, at, at + blockBytes);
    blocks.push(key);
  }
  key = chain(key, bytes, blocks.length * blockBytes, bytes.length);
  return { key, tokens: Math.max(1, Math.ceil(bytes.length / tokenBytes)), blocks };
}

const seed = 0x811c9dc5;

/** 52 bits that depend on a key and on some bytes: two lanes of FNV-1a (Fowler, Noll, Vo) with different primes, mixed at the end. */
function chain(key: number, bytes: Buffer, from: number, to: number): number {
  let low = key | 0;
  let high = Math.floor(key / 0x1_0000_0000) ^ 0x9e3779b9;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x85ebca6b) ^ (high >>> 13);
  }
  high ^= Math.imul(low ^ (low >>> 15), 0xc2b2ae35);
  return (high & 0xfffff) * 0x1_0000_0000 + (low >>> 0);
}
