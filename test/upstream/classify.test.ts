import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, errorTable, GatewayError } from '../../gateway/kernel/errors.ts';
import { isOurCredentialBad, outcomeOfError, outcomeOfStatus } from '../../gateway/upstream/classify.ts';

describe('what an answer says of its replica', () => {
  it('is success below 500, whatever the client did wrong', () => {
    for (const status of [200, 201, 204, 206, 301, 304, 400, 401, 404, 413, 422, 431, 499])
      assert.equal(outcomeOfStatus(status), 'succeeded', String(status));
  });

  it('is a refusal where the replica declines the work', () => {
    assert.equal(outcomeOfStatus(429), 'refused');
    assert.equal(outcomeOfStatus(503), 'refused');
  });

  it('is failure with any other 5xx', () => {
    for (const status of [500, 501, 502, 504, 507, 599]) assert.equal(outcomeOfStatus(status), 'failed');
  });
});

it('a try without an answer failed only where the upstream is to blame', () => {
  for (const code of Object.keys(errorTable) as ErrorCode[]) {
    const isUpstream = code === 'upstream_unreachable' || code === 'upstream_broken' || code === 'upstream_timeout';
    assert.equal(outcomeOfError(new GatewayError(code, '')), isUpstream ? 'failed' : 'abandoned', code);
  }
});

it('an answer about a credential is about the gateway’s own', () => {
  assert.deepEqual([400, 401, 402, 403, 404, 407].filter(isOurCredentialBad), [401, 402, 403]);
});
