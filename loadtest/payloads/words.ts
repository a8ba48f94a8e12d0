import { seededRng } from '../../gateway/kernel/rng.ts';

/**
 * 64 words of three letters. With the space in front each is four bytes, which is what simulated servers count as a token, and a
 * token of its own to the tokenizers of real models, which are made of common words.
 */
const words = (
  'the and for are but not you all any can had her was one our out day get has him his how man new now old see two way who boy did ' +
  'its let put say she too use dad mom car dog cat run sun sea sky air big red hot top end war law job bed box bus cup eye arm leg'
).split(' ');

const wordBytes = 4;

/** Five words come out of the 32 bits of one draw: six bits each. */
const wordsPerDraw = 5;

/** Digits of a key: six hold every block id of a trace, and more requests than a run has. */
const keyDigits = 6;

// Read and written as numbers of the machine's own byte order, so that either order gives the same bytes.
const wordTable = new Uint32Array(new Uint8Array(Buffer.from(words.map((word) => ` ${word}`).join(''))).buffer);

/** A stretch of text that follows from a seed and a key. */
export interface Stretch {
  readonly seed: number;
  readonly key: number;
  readonly tokens: number;
}

/**
 * Stretches of text one after another. Each begins with its key as six digits to the base of 64, the lowest first: stretches of two keys
 * differ wherever they have six words, and mostly in the first.
 */
export function textOf(stretches: readonly Stretch[]): Buffer {
  const total = stretches.reduce((sum, { tokens }) => sum + tokens, 0);
  const text = new Uint32Array(total);
  let at = 0;
  for (const stretch of stretches) {
    writeStretch(text.subarray(at, at + stretch.tokens), stretch);
    at += stretch.tokens;
  }
  return Buffer.from(text.buffer, 0, total * wordBytes);
}

function writeStretch(into: Uint32Array, { seed, key }: Stretch): void {
  const rng = seededRng(seed + key);
  let at = 0;
  for (let rest = key; at < Math.min(keyDigits, into.length); rest = Math.floor(rest / words.length))
    into[at++] = wordTable[rest % words.length] ?? 0;
  while (at < into.length) {
    let draw = rng.below(words.length ** wordsPerDraw);
    for (let word = 0; word < wordsPerDraw && at < into.length; word++) {
      into[at++] = wordTable[draw % words.length] ?? 0;
      draw = Math.floor(draw / words.length);
    }
  }
}
