import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Headers } from '../../gateway/pipeline/headers.ts';
import { replyHeaders, requestHeaders } from '../../gateway/upstream/headers.ts';
import { repetitions } from '../support/counts.ts';

type Gateway = Parameters<typeof requestHeaders>[1];
const gateway: Gateway = { requestId: 'r1', remainingMs: null, wantsReport: false, without: [], only: null, own: {} };

const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** What a replica gets, as pairs, without the request's id where it is as expected. */
function sent(client: Headers, spec: Partial<Gateway> = {}): [string, string][] {
  return pairsOf(requestHeaders(client, { ...gateway, ...spec })).filter(
    ([name, value]) => name !== 'x-request-id' || value !== 'r1',
  );
}

function pairsOf(list: readonly string[]): [string, string][] {
  return list.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name, list[at + 1] ?? '']] : []));
}

describe('the headers a replica gets', () => {
  it('are the client’s, each line of them, and the id of the request', () => {
    const client = { accept: 'application/json', traceparent: '00-1-2-01', 'x-custom': ['a', 'b'], gone: undefined };
    assert.deepEqual(pairsOf(requestHeaders(client, gateway)), [
      ['accept', 'application/json'],
      ['traceparent', '00-1-2-01'],
      ['x-custom', 'a'],
      ['x-custom', 'b'],
      ['x-request-id', 'r1'],
    ]);
  });

  it('are none that speak of the client’s connection', () => {
    for (const name of hopByHop) assert.deepEqual(sent({ [name]: 'x', accept: 'a' }), [['accept', 'a']], name);
  });

  it('are none that the client’s connection names', () => {
    const client = { connection: 'close, X-Private ,te', 'x-private': '1', 'x-public': '2' };
    assert.deepEqual(sent(client), [['x-public', '2']]);
    assert.deepEqual(sent({ ...client, connection: ['x-private', 'x-other'] }), [['x-public', '2']]);
    assert.deepEqual(sent({ connection: 'keep-alive', 'x-public': '2' }), [['x-public', '2']]);
  });

  it('are no credential of the client’s, and nothing else that is for the gateway alone', () => {
    const names = [
      'authorization',
      'x-api-key',
      'host',
      'content-length',
      'expect',
      'x-request-id',
      'x-request-timeout-ms',
      'x-stainless-timeout',
      'x-headgate-class',
      'x-headgate-explain',
      'x-headgate-admin',
      'endpoint-load-metrics-format',
    ];
    for (const name of names) assert.deepEqual(sent({ [name]: 'secret' }), [], name);
  });

  it('are no claims about where the client came from', () => {
    const names = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'];
    for (const name of names) assert.deepEqual(sent({ [name]: '10.0.0.1' }), [], name);
  });

  it('are none with an underscore, behind which another one can hide', () => {
    assert.deepEqual(sent({ x_api_key: 'k', 'x-forwarded_for': '1', content_length: '3' }), []);
  });

  it('keep what says how to read the body, whatever the client’s connection names', () => {
    const client = { connection: 'content-type, Content-Encoding', 'content-type': 'a/b', 'content-encoding': 'gzip' };
    assert.deepEqual(sent(client), [
      ['content-type', 'a/b'],
      ['content-encoding', 'gzip'],
    ]);
  });

  it('have the replica’s own in the place of the client’s', () => {
    const own = { authorization: 'Bearer ours', 'x-tier': 'gold' };
    assert.deepEqual(sent({ authorization: 'Bearer theirs', 'x-tier': 'free', accept: 'a' }, { own }), [
      ['accept', 'a'],
      ['authorization', 'Bearer ours'],
      ['x-tier', 'gold'],
    ]);
  });

  it('tell the time that is left, in whole milliseconds and at least one', () => {
    const told = (remainingMs: number): string | undefined => sent({}, { remainingMs })[0]?.[1];
    assert.deepEqual([1500.9, 0.3, -2].map(told), ['1500', '1', '1']);
    assert.deepEqual(sent({ 'x-request-timeout-ms': '9' }, { remainingMs: 5 }), [['x-request-timeout-ms', '5']]);
  });

  it('ask for a load report where one is wanted', () => {
    assert.deepEqual(sent({}, { wantsReport: true }), [['endpoint-load-metrics-format', 'JSON']]);
  });

  it('are those alone of the client’s that may go, where only some may, and the gateway’s and the replica’s own', () => {
    const client = { accept: 'a', 'x-custom': '1', 'content-type': 'b', cookie: 'c', connection: 'accept' };
    const spec = { only: ['accept', 'content-type', 'x-absent'], own: { 'x-tier': 'gold' }, remainingMs: 5 };
    assert.deepEqual(sent({ ...client, connection: 'close' }, spec), [
      ['accept', 'a'],
      ['content-type', 'b'],
      ['x-request-timeout-ms', '5'],
      ['x-tier', 'gold'],
    ]);
    assert.deepEqual(sent(client, { only: ['accept', 'authorization'] }), []);
    assert.deepEqual(sent({ authorization: 'k' }, { only: ['authorization'] }), []);
  });

  it('offer no content encoding where something in the answer will be replaced', () => {
    const client = { 'accept-encoding': 'gzip', accept: 'a' };
    assert.deepEqual(sent(client, { without: ['accept-encoding'] }), [['accept', 'a']]);
    assert.deepEqual(sent(client), [
      ['accept-encoding', 'gzip'],
      ['accept', 'a'],
    ]);
  });

  it('never carry a credential or a header of the hop, whatever else the client sends', () => {
    const name = fc.oneof(
      fc.constantFrom('authorization', 'x-api-key', 'connection', 'te', 'x-custom', 'accept', 'toString', '__proto__'),
      fc.stringMatching(/^[a-z][a-z0-9_-]{0,12}$/),
    );
    fc.assert(
      fc.property(fc.dictionary(name, fc.constant('secret')), (client) => {
        for (const [each] of sent(client)) {
          assert.ok(!['authorization', 'x-api-key', ...hopByHop].includes(each), each);
          assert.ok(each in client && !each.includes('_'));
        }
      }),
      { numRuns: repetitions({ quick: 300, full: 20_000 }) },
    );
  });
});

describe('the headers a client gets', () => {
  it('are the replica’s, each line of them', () => {
    const { headers, loadReport } = replyHeaders({
      'content-type': 'application/json',
      'set-cookie': ['a=1', 'b=2'],
      'retry-after': '3',
    });
    assert.deepEqual(pairsOf(headers), [
      ['content-type', 'application/json'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['retry-after', '3'],
    ]);
    assert.equal(loadReport, null);
  });

  it('are none of the hop, nor those that its connection names', () => {
    const names = Object.fromEntries(hopByHop.map((name) => [name, 'x']));
    assert.deepEqual(replyHeaders({ ...names, connection: 'x-private', 'x-private': '1' }).headers, []);
  });

  it('are without the load report, which is for the gateway', () => {
    const { headers, loadReport } = replyHeaders({ 'endpoint-load-metrics': 'JSON {}', etag: '"1"' });
    assert.deepEqual(pairsOf(headers), [['etag', '"1"']]);
    assert.equal(loadReport, 'JSON {}');
    assert.equal(replyHeaders({ 'endpoint-load-metrics': ['TEXT a', 'TEXT b'] }).loadReport, 'TEXT a');
    const both = { 'endpoint-load-metrics': 'TEXT a', 'endpoint-load-metrics-bin': 'CQAA' };
    assert.deepEqual(replyHeaders(both), { headers: [], loadReport: 'BIN CQAA' }, 'as Envoy has it, binary first');
    assert.deepEqual(
      replyHeaders({ 'content-length': '5' }, 204).headers,
      [],
      'an answer that has no body has no length',
    );
  });
});
