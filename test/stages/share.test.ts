import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharingPath } from '../support/caching/sharing-path.ts';

describe('a request shares', () => {
  const share = async (headers: Record<string, string>): Promise<string[]> => {
    const path = new SharingPath();
    const got = await path.askAll([{ headers }, { headers }]);
    return got.map(({ cache }) => cache);
  };

  it('what those who ask the same get', async () => {
    assert.deepEqual(await share({}), ['fwd=miss; stored', 'fwd=miss; collapsed']);
    assert.deepEqual(await share({ 'x-other': '1', connection: 'keep-alive, te' }), [
      'fwd=miss; stored',
      'fwd=miss; collapsed',
    ]);
  });

  it('nothing where it says so', async () => {
    assert.deepEqual(await share({ 'cache-control': 'no-store' }), ['fwd=bypass', 'fwd=bypass']);
  });

  it('nothing where a header of its key goes no further', async () => {
    const headers = { 'accept-language': 'fr', connection: 'close, Accept-Language' };
    assert.deepEqual(await share(headers), ['fwd=bypass', 'fwd=bypass']);
  });
});
