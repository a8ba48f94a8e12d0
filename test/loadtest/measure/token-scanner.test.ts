import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TokenScanner } from '../../../loadtest/measure/token-scanner.ts';
import { repetitions } from '../../support/counts.ts';

const lines = [
  ': a comment',
  '',
  'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}',
  '',
  'data: {"choices":[{"delta":{"content":"a"}}]}',
  '',
  'data:{"choices":[{"delta": {"content": "\\"content\\":\\"\\""}}]}',
  '',
  'data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}',
  '',
  'data: {"choices":[{"text":" the"}]}',
  '',
  'data: {"choices":[{"delta":{"content":null},"finish_reason":"stop"}]}',
  '',
  'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":17,"total_tokens":20}}',
  '',
  'data: [DONE]',
  '',
  '',
];

for (const lineEnd of ['\n', '\r\n'])
  test(`events with text are counted however their bytes come, with lines ended by ${JSON.stringify(lineEnd)}`, () => {
    const text = lines.join(lineEnd);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
        const scanner = new TokenScanner();
        const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        let completed = 0;
        for (const [at, from] of places.slice(0, -1).entries())
          completed += scanner.takeStream(text.slice(from, places[at + 1]));
        assert.deepEqual(
          [completed, scanner.events, scanner.usedTokens, scanner.isDone, scanner.hasFailed],
          [4, 4, 17, true, false],
        );
      }),
      { numRuns: repetitions({ quick: 200, full: 20_000 }) },
    );
  });

test('an error in mid-stream is seen, and text about errors is none', () => {
  const scanner = new TokenScanner();
  scanner.takeStream('data: {"choices":[{"delta":{"content":"{\\"error\\""}}]}\n\n');
  assert.equal(scanner.hasFailed, false);
  scanner.takeStream('data: {"error":{"message":"broken"}}\n\n');
  assert.deepEqual([scanner.hasFailed, scanner.isDone, scanner.events], [true, false, 1]);
});

test('the usage of a whole answer is found also where two reads share it', () => {
  const text = `{"choices":[{"message":{"content":"${'x'.repeat(200)}"}}],"usage":{"completion_tokens": 1234}}`;
  for (let cut = 0; cut <= text.length; cut++) {
    const scanner = new TokenScanner();
    scanner.takeWhole(text.slice(0, cut));
    scanner.takeWhole(text.slice(cut));
    assert.equal(scanner.usedTokens, 1234, `cut at ${cut}`);
  }
});
