import assert from 'node:assert/strict';
import { it } from 'node:test';
import { passingGate } from '../../gateway/guard/gate.ts';

it('the passing gate lets everything pass, however its requests end', () => {
  for (const outcome of ['failed', 'refused', 'abandoned', 'succeeded'] as const) {
    const permit = passingGate.enter();
    assert.notEqual(permit, null);
    permit?.settle(outcome);
    assert.equal(passingGate.state, 'passing');
  }
});
