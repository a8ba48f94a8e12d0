import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StreamTail } from '../../gateway/http/break-stream.ts';
import { repetitions } from '../support/counts.ts';

function isBetweenEvents(...pieces: readonly string[]): boolean {
  const tail = new StreamTail();
  for (const piece of pieces) tail.chunk(Buffer.from(piece));
  return tail.isBetweenEvents;
}

/** Whether a reader of events (WHATWG HTML, section 9.2.6) waits for the beginning of one: every line has ended, the last of them empty. */
function readerIsBetween(text: string): boolean {
  if (text === '') return true;
  const lines = text.split(/\r\n|\n|\r/);
  return lines.at(-1) === '' && lines.at(-2) === '' && lines.length > 2;
}

test('a stream is between events at its beginning and behind an empty line, wherever it is cut', () => {
  for (const [text, wanted] of [
    ['', true],
    ['data: x\n\n', true],
    ['data: x\r\n\r\n', true],
    ['data: x\r\r', true],
    [': é\n\n', true],
    ['data: x', false],
    ['data: x\n', false],
    ['data: x\r\n', false],
    ['data: x\r', false],
    ['data: x\n\ndata: y\n', false],
    ['d', false],
  ] as const) {
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second++)
        assert.equal(
          isBetweenEvents(text.slice(0, first), text.slice(first, second), text.slice(second)),
          wanted,
          JSON.stringify([text, first, second]),
        );
    }
    assert.equal(isBetweenEvents(...text), wanted);
  }
});

test('it never believes itself between events while one is under way', () => {
  const piece = fc.string({ unit: fc.constantFrom('\n', '\r', 'a', 'é'), maxLength: 6 });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
      if (isBetweenEvents(...pieces)) assert.ok(readerIsBetween(pieces.join('')) || /^[\r\n]+$/.test(pieces.join('')));
    }),
    { numRuns: repetitions({ quick: 2000, full: 200_000 }) },
  );
});
