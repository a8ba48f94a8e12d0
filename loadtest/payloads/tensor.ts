import { seededRng } from '../../gateway/kernel/rng.ts';
import { countElements } from '../../gateway/protocols/tensors.ts';
import type { Seeds } from '../arrivals/seeds.ts';
import type { Payloads, Target, TensorContent } from '../scenario/scenario.ts';
import { keysOf } from './keys.ts';
import { drawLength } from './length.ts';
import type { Payload } from './payload.ts';

/** Whole numbers below this fit every datatype that JSON has numbers for, and are the pixels of the bundled models. */
const values = 17;

/** Inferences on one tensor of whole numbers, as JSON. */
export function tensorsOf({ choice, tensor }: Payloads, { model }: Target, seeds: Seeds): (index: number) => Payload {
  const keyOf = keysOf(choice, seeds.choices);
  const path = `/v2/models/${encodeURIComponent(model)}/infer`;
  return (index) => ({
    path,
    isStreaming: false,
    inputTokens: 0,
    outputTokens: 0,
    get body() {
      return bodyOf(tensor, keyOf(index), seeds);
    },
  });
}

function bodyOf({ name, datatype, shape, rows }: TensorContent, key: number, seeds: Seeds): Buffer {
  const count = drawLength(rows, seededRng(seeds.lengths + key));
  const whole = [count, ...shape];
  const data = numbersOf(key, countElements(whole), seeds.contents);
  return Buffer.from(JSON.stringify({ inputs: [{ name, shape: whole, datatype, data }] }));
}

/** As many digits hold more keys than a run has requests. */
const keyDigits = 8;

/** The digits of the key, the lowest first, so that two keys have two tensors wherever these hold eight numbers; then chance. */
function numbersOf(key: number, count: number, seed: number): number[] {
  const rng = seededRng(seed + key);
  let rest = key;
  return Array.from({ length: count }, (_, at) => {
    if (at >= keyDigits) return rng.below(values);
    const digit = rest % values;
    rest = Math.floor(rest / values);
    return digit;
  });
}
