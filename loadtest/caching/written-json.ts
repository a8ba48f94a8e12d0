import type { Rng } from '../../gateway/kernel/rng.ts';

/** How JSON leaves the libraries that clients use: without spaces; with one behind each comma and colon, and letters beyond ASCII as escapes; over several lines. */
const hands: readonly ((content: object) => string)[] = [
  (content) => JSON.stringify(content),
  (content) =>
    JSON.stringify(content, null, 1)
      .replaceAll(/\n */g, ' ')
      .replaceAll(/^\{ | \}$/g, (end) => end.trim())
      .replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  (content) => JSON.stringify(content, null, 2),
];

/** An object as some client writes it: its members in any order. */
export function writtenJson(content: Readonly<Record<string, unknown>>, rng: Rng): Buffer {
  const members = Object.entries(content).map((member) => ({ member, place: rng.next() }));
  const shuffled = members.toSorted((a, b) => a.place - b.place).map(({ member }) => member);
  const hand = hands[rng.below(hands.length)] ?? JSON.stringify;
  return Buffer.from(hand(Object.fromEntries(shuffled)));
}
