import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newGeneration } from '../support/exchanges.ts';

it('a generation is gone, once, when it is no longer current and its last exchange has settled', () => {
  let gone = 0;
  const onGone = (): void => {
    gone += 1;
  };
  const generation = newGeneration({ onGone });
  generation.enter();
  generation.leave();
  assert.equal(gone, 0, 'a current one stays, though nobody is in it');
  generation.enter();
  generation.enter();
  generation.retire();
  generation.leave();
  assert.deepEqual([generation.underWay, gone], [1, 0]);
  generation.leave();
  assert.deepEqual([generation.underWay, gone], [0, 1]);
});

it('a generation in which nobody is goes as soon as another one is current', () => {
  let gone = 0;
  newGeneration({ onGone: () => gone++ }).retire();
  assert.equal(gone, 1);
});
