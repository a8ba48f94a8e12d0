import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answering, type Got, SharingPath } from '../support/caching/sharing-path.ts';

const freshness = { freshMs: 1_000, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 };
const outcomes = (all: readonly Got[]) => all.map(({ status, text, cache }) => `${status} ${text} ${cache}`);

describe('an answer that is kept', () => {
  it('is given at once as long as it is fresh, with its age and who asks', async () => {
    const path = new SharingPath();
    const first = await path.got({ id: 'one' });
    await path.pass(500);
    const second = await path.got({ id: 'two' });
    assert.deepEqual([first.cache, first.text, first.header('etag')], ['fwd=miss; stored', '{"n":0}', null]);
    assert.deepEqual(
      [second.cache, second.text, second.tookMs, second.header('age')],
      ['hit; ttl=0', '{"id":"two","n":0}', 0, '0'],
    );
    await path.pass(500);
    assert.equal((await path.got()).cache, 'fwd=miss; stored');
  });

  it('and is a little stale is given at once, while one asks for a new one', async () => {
    const path = new SharingPath({ rules: { freshness: { ...freshness, staleWhileRevalidateMs: 5_000 } } });
    await path.got();
    await path.pass(2_500);
    const stale = await path.askAll([{}, {}, {}]);
    assert.deepEqual(outcomes(stale), [
      '200 {"n":0} hit; ttl=-2',
      '200 {"n":0} hit; ttl=-2',
      '200 {"n":0} hit; ttl=-2',
    ]);
    await path.pass(10);
    assert.deepEqual(outcomes([await path.got()]), ['200 {"n":1} hit; ttl=1']);
    assert.equal(path.work.begun.length, 2);
  });

  it('is told its clients that have it already, and no other', async () => {
    const path = new SharingPath({ script: (n) => ({ ...answering(n), headers: ['etag', '"of the replica"'] }) });
    await path.got();
    const etag = (await path.got()).header('etag') ?? '';
    const known = await path.got({ headers: { 'if-none-match': `"a", ${etag}` } });
    assert.deepEqual([known.status, known.text, known.header('etag'), known.cache], [304, '', etag, 'hit; ttl=1']);
    const other = await path.got({ headers: { 'if-none-match': '"a"' } });
    assert.deepEqual([other.status, other.text], [200, '{"n":0}']);
    const fresh = await path.got({ x: 2, headers: { 'if-none-match': '*' } });
    assert.deepEqual([fresh.status, fresh.cache], [200, 'fwd=miss; stored']);
  });
});

describe('an answer that is stale is given where a new one cannot be had', () => {
  const rules = { freshness: { ...freshness, staleIfErrorMs: 10_000 } };

  it('by an error of the replica or of the gateway, and not by one of the client', async () => {
    for (const [failing, wanted] of [
      [{ error: 'upstream_unreachable' }, '200 {"n":0} fwd=stale; ttl=-1'],
      [{ error: 'none_eligible' }, '200 {"n":0} fwd=stale; ttl=-1'],
      [{ error: 'upstream_timeout' }, '200 {"n":0} fwd=stale; ttl=-1'],
      [{ status: 500 }, '200 {"n":0} fwd=stale; ttl=-1'],
      [{ status: 503 }, '200 {"n":0} fwd=stale; ttl=-1'],
      [{ status: 501 }, '501  fwd=stale'],
      [{ status: 404 }, '404  fwd=stale'],
      [{ error: 'invalid_request' }, '400  fwd=stale'],
    ] as const) {
      for (const isCoalescing of [true, false]) {
        const path = new SharingPath({
          rules: { ...rules, isCoalescing },
          script: (n) => (n === 0 ? answering(n) : { headAfterMs: 10, ...failing }),
        });
        await path.got();
        await path.pass(1_500);
        assert.deepEqual(outcomes([await path.got()]), [wanted], JSON.stringify(failing));
        assert.deepEqual(path.work.underWay, []);
      }
    }
  });

  it('no longer than it may be', async () => {
    const script = (n: number) => (n === 0 ? answering(n) : ({ headAfterMs: 0, status: 500 } as const));
    const path = new SharingPath({ rules, script });
    await path.got();
    await path.pass(10_990);
    assert.equal((await path.got()).status, 200);
    await path.pass(20);
    assert.deepEqual(outcomes([await path.got()]), ['500  fwd=miss']);
  });

  it('in time, to each of those who wait for one computation, and it goes on for who has more time', async () => {
    const path = new SharingPath({
      rules,
      script: (n) => ({ ...answering(n), headAfterMs: n === 0 ? 10 : 5_000 }),
    });
    await path.got();
    await path.pass(1_500);
    const got = await path.askAll([{ deadlineMs: 100 }, { deadlineMs: 200 }, {}]);
    assert.deepEqual(outcomes(got), [
      '200 {"n":0} fwd=stale; ttl=-1',
      '200 {"n":0} fwd=stale; ttl=-1',
      '200 {"n":1} fwd=miss; collapsed',
    ]);
    assert.ok(got[0] && got[0].tookMs <= 110 && got[1] && got[1].tookMs <= 210);
    assert.equal(path.work.begun.length, 2);
  });

  it('but not to who wants a new one', async () => {
    const path = new SharingPath({ rules, script: (n) => (n === 0 ? answering(n) : { headAfterMs: 0, status: 500 }) });
    await path.got();
    const got = await path.got({ headers: { 'cache-control': 'no-cache' } });
    assert.deepEqual(outcomes([got]), ['500  fwd=request']);
  });

  it('only to who does not have it already', async () => {
    const path = new SharingPath({ rules, script: (n) => (n === 0 ? answering(n) : { headAfterMs: 5, status: 500 }) });
    await path.got();
    const etag = (await path.got()).header('etag') ?? '';
    await path.pass(1_500);
    const got = await path.askAll([{ headers: { 'if-none-match': etag } }, {}]);
    assert.deepEqual(outcomes(got), ['304  fwd=stale; ttl=-1', '200 {"n":0} fwd=stale; ttl=-1']);
  });
});
