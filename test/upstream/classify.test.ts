import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, errorTable, GatewayError } from '../../gateway/kernel/errors.ts';
import { isOurCredentialBad, type Verdict, verdictOfError, verdictOfStatus } from '../../gateway/upstream/classify.ts';

function inWords({ outcome, evidence, retry }: Verdict): string {
  return `${outcome}, ${evidence}, ${retry}`;
}

describe('what an answer says of its replica', () => {
  const rows: readonly [string, readonly number[]][] = [
    ['succeeded, success, never', [200, 201, 204, 206, 301, 304]],
    ['succeeded, client_error, never', [400, 404, 407, 413, 422, 431, 499]],
    ['refused, none, if_idempotent', [429, 503]],
    ['failed, client_error, if_idempotent', [403]],
    ['failed, failure, if_idempotent', [500, 501, 502, 504, 507, 599]],
    ['failed, credential, if_idempotent', [401, 402]],
  ];
  for (const [verdict, statuses] of rows) {
    it(`is ${verdict} with ${statuses.join(', ')}`, () => {
      for (const status of statuses) assert.equal(inWords(verdictOfStatus(status)), verdict, String(status));
    });
  }
});

it('what is wrong with a model that was asked about is not held against the replica that tells it, nor asked again', () => {
  for (const status of [400, 404, 429, 500, 503]) {
    assert.equal(inWords(verdictOfStatus(status, true)), 'succeeded, none, never', String(status));
  }
  assert.equal(inWords(verdictOfStatus(200, true)), 'succeeded, success, never');
  assert.equal(inWords(verdictOfStatus(401, true)), 'failed, credential, if_idempotent');
});

it('a try without an answer says something of its replica only where the upstream is to blame, or another was faster', () => {
  const ofUpstream: Partial<Record<ErrorCode, string>> = {
    upstream_unreachable: 'failed, unreachable, always',
    upstream_broken: 'failed, failure, if_idempotent',
    upload_broken: 'failed, none, if_idempotent',
    upstream_timeout: 'failed, timeout, if_idempotent',
    overtaken: 'abandoned, overtaken, never',
  };
  for (const code of Object.keys(errorTable) as ErrorCode[]) {
    const verdict = inWords(verdictOfError(new GatewayError(code, '')));
    assert.equal(verdict, ofUpstream[code] ?? 'abandoned, none, never', code);
  }
});

it('an answer about a credential is about the gateway’s own', () => {
  assert.deepEqual([400, 401, 402, 403, 404, 407].filter(isOurCredentialBad), [401, 402, 403]);
});
