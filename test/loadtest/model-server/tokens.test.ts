import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { promptOfIds, promptOfText, promptOfTrace } from '../../../loadtest/model-server/tokens.ts';
import { repetitions } from '../../support/counts.ts';

test('four bytes are a token, and what is left over is one more', () => {
  const counts = ['', 'a', 'abcd', 'abcde', 'Grüße', '日本語'].map((text) => promptOfText(text, 16).tokens);
  assert.deepEqual(counts, [1, 1, 1, 2, 2, 3]);
});

test('two prompts share the blocks of what they have in common at their beginning, and no others', () => {
  const runs = repetitions({ quick: 500, full: 20_000 });
  const text = fc.string({ maxLength: 200, unit: 'binary' });
  const property = fc.property(text, text, text, (common, one, other) => {
    const [a, b] = [Buffer.from(common + one), Buffer.from(common + other)];
    let same = 0;
    while (same < Math.min(a.length, b.length) && a[same] === b[same]) same += 1;
    const [blocksA, blocksB] = [common + one, common + other].map((all) => promptOfText(all, 4).blocks);
    const shared = Math.floor(same / 16);
    assert.deepEqual(blocksA?.slice(0, shared), blocksB?.slice(0, shared));
    const rest = new Set(blocksA?.slice(shared));
    assert.ok(!blocksB?.slice(shared).some((key) => rest.has(key)));
  });
  fc.assert(property, { numRuns: runs });
});

test('the same block behind another beginning is another block', () => {
  const same = 'x'.repeat(16);
  assert.notEqual(
    promptOfText(`${'a'.repeat(16)}${same}`, 4).blocks[1],
    promptOfText(`${'b'.repeat(16)}${same}`, 4).blocks[1],
  );
});

test('prompts that differ in what is behind their last whole block have different keys', () => {
  assert.notEqual(promptOfText('hello', 16).key, promptOfText('hellp', 16).key);
});

test('token ids are tokens', () => {
  const { tokens, blocks } = promptOfIds([1, 2, 3, 4, 5], 2);
  assert.deepEqual([tokens, blocks.length], [5, 2]);
  assert.deepEqual(blocks, promptOfIds([1, 2, 3, 4, 9, 9], 2).blocks.slice(0, 2));
});

test('prompts of a trace share what their ids share, in blocks of the engine', () => {
  const size = { tokens: 1_300, idTokens: 512, blockTokens: 16 };
  const one = promptOfTrace([7, 8, 9], size);
  const other = promptOfTrace([7, 8, 10], size);
  assert.equal(one.blocks.length, 81);
  assert.deepEqual(one.blocks.slice(0, 64), other.blocks.slice(0, 64));
  assert.notEqual(one.blocks[64], other.blocks[64]);
});
