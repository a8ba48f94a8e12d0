import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Headers } from '../../gateway/pipeline/headers.ts';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import { anonymous, identify, tenantOfHeaders } from '../../gateway/stages/identify.ts';
import { newExchange } from '../support/exchanges.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const answer = jsonReply(200, {}, 'upstream');
const serve = identify().wrap(async () => answer);

async function tenantOf(headers: Headers): Promise<string> {
  const exchange = newExchange({ headers });
  assert.equal(await serve(exchange), answer);
  assert.equal(tenantOfHeaders(headers), exchange.tenant, 'the dry run says the same');
  return exchange.tenant;
}

describe('the tenant of a request', () => {
  it('is the SHA-256 of the credential it shows', async () => {
    assert.equal(await tenantOf({ authorization: 'Bearer key-1' }), sha256('key-1'));
  });

  it('is the same wherever the key is shown, and however the scheme is written', async () => {
    const shown: readonly Headers[] = [
      { 'x-api-key': 'key-1' },
      { authorization: 'bearer key-1' },
      { authorization: 'BEARER   key-1' },
      { authorization: 'key-1' },
    ];
    for (const headers of shown) assert.equal(await tenantOf(headers), sha256('key-1'));
  });

  it('goes by authorization where both are there', async () => {
    assert.equal(await tenantOf({ authorization: 'Bearer key-1', 'x-api-key': 'key-2' }), sha256('key-1'));
  });

  it('is anonymous without a credential, which is no credential’s hash', async () => {
    assert.equal(await tenantOf({}), anonymous);
    assert.notEqual(await tenantOf({ 'x-api-key': 'anonymous' }), anonymous);
  });

  it('stays the same and apart from all others, however many credentials come', async () => {
    const first = await tenantOf({ 'x-api-key': 'key-1' });
    const tenants = new Set<string>();
    for (let n = 0; n < 2500; n++) tenants.add(await tenantOf({ 'x-api-key': `invented-${n}` }));
    assert.equal(tenants.size, 2500);
    assert.equal(await tenantOf({ 'x-api-key': 'key-1' }), first);
  });
});
