import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asGatewayError, type ErrorCode, errorTable, GatewayError } from '../../gateway/kernel/errors.ts';

// Clients' scripts, dashboards and retries go by these: a change here is a change for them.
const promised: Readonly<Record<ErrorCode, readonly [number, string, string]>> = {
  invalid_request: [400, 'client', 'never'],
  not_found: [404, 'client', 'never'],
  model_not_found: [404, 'client', 'never'],
  method_not_allowed: [405, 'client', 'never'],
  body_too_large: [413, 'client', 'never'],
  encoding_unsupported: [415, 'client', 'never'],
  host_not_allowed: [421, 'client', 'never'],
  client_left: [499, 'client', 'never'],
  fell_behind: [503, 'client', 'never'],
  internal: [500, 'gateway', 'never'],
  upstream_unreachable: [502, 'upstream', 'always'],
  upstream_broken: [502, 'upstream', 'if_idempotent'],
  upload_broken: [502, 'upstream', 'if_idempotent'],
  upstream_credential: [502, 'gateway', 'if_idempotent'],
  buffers_full: [503, 'gateway', 'never'],
  none_eligible: [503, 'gateway', 'never'],
  queue_full: [503, 'gateway', 'never'],
  queue_timeout: [503, 'gateway', 'never'],
  superseded: [500, 'gateway', 'never'],
  overtaken: [500, 'gateway', 'never'],
  shutting_down: [503, 'gateway', 'never'],
  deadline_exceeded: [504, 'gateway', 'never'],
  upstream_timeout: [504, 'upstream', 'if_idempotent'],
};

describe('the table of errors', () => {
  for (const [code, [status, blame, retry]] of Object.entries(promised)) {
    it(`has ${code}: ${status}, the fault of the ${blame}, to be tried again ${retry}`, () => {
      const error = new GatewayError(code as ErrorCode, 'what happened');
      assert.deepEqual([error.status, error.blame, error.retry], [status, blame, retry]);
    });
  }

  it('has no other codes', () => {
    assert.deepEqual(Object.keys(errorTable).toSorted(), Object.keys(promised).toSorted());
  });

  it('tries again what a replica is to blame for, and what another one may have the right credential for', () => {
    for (const [code, { blame, retry }] of Object.entries(errorTable))
      assert.equal(retry !== 'never', blame === 'upstream' || code === 'upstream_credential', code);
  });
});

describe('an error of the gateway', () => {
  it('carries what clients and the log may need', () => {
    const cause = new Error('connect ECONNREFUSED');
    const error = new GatewayError('queue_full', 'busy', { cause, retryAfterMs: 1500, field: 'model' });
    assert.equal(error.cause, cause);
    assert.equal(error.retryAfterMs, 1500);
    assert.equal(error.field, 'model');
    assert.equal(error.message, 'busy');
    assert.equal(error.name, 'GatewayError');
  });

  it('has no cause, wait or field where none is given', () => {
    const error = new GatewayError('not_found', 'no such thing');
    assert.equal('cause' in error, false);
    assert.deepEqual([error.retryAfterMs, error.field], [null, null]);
  });

  it('is itself when it is thrown, and anything else is internal with the cause kept from clients', () => {
    const error = new GatewayError('not_found', 'no such thing');
    assert.equal(asGatewayError(error), error);
    for (const thrown of [new TypeError('secret'), 'secret', undefined, null]) {
      const made = asGatewayError(thrown);
      assert.equal(made.code, 'internal');
      assert.equal(made.message.includes('secret'), false);
      if (thrown !== undefined) assert.equal(made.cause, thrown);
    }
  });
});
