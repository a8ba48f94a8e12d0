import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Cancellation } from '../../gateway/kernel/cancellation.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';

const left = new GatewayError('client_left', 'left');
const late = new GatewayError('deadline_exceeded', 'too late');

describe('a cancellation', () => {
  it('tells every listener why, once, in the order they were added', () => {
    const cancellation = new Cancellation();
    const told: string[] = [];
    for (const name of ['a', 'b', 'c']) cancellation.onCancel((reason) => told.push(`${name} ${reason.code}`));
    assert.equal(cancellation.reason, null);
    cancellation.cancel(left);
    cancellation.cancel(late);
    assert.deepEqual(told, ['a client_left', 'b client_left', 'c client_left']);
    assert.equal(cancellation.reason, left);
  });

  it('tells whoever comes after it at once', () => {
    const cancellation = new Cancellation();
    cancellation.cancel(left);
    const told: GatewayError[] = [];
    cancellation.onCancel((reason) => told.push(reason));
    assert.deepEqual(told, [left]);
  });

  it('tells nobody who stopped listening, and forgets no other with them', () => {
    const cancellation = new Cancellation();
    const told: string[] = [];
    const listeners = ['a', 'b', 'c'].map((name) => () => told.push(name));
    for (const listener of listeners) cancellation.onCancel(listener);
    cancellation.off(listeners[1] ?? assert.fail());
    cancellation.off(() => told.push('never added'));
    cancellation.cancel(left);
    assert.deepEqual(told, ['a', 'c']);
    cancellation.off(listeners[0] ?? assert.fail());
  });

  it('throws its reason at whoever asks, and nothing before', () => {
    const cancellation = new Cancellation();
    cancellation.throwIfCancelled();
    cancellation.cancel(late);
    assert.throws(() => cancellation.throwIfCancelled(), late);
  });
});
