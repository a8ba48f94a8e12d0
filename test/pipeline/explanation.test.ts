import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Candidate, Decision } from '../../gateway/balance/decision.ts';
import { explanationOf } from '../../gateway/pipeline/explanation.ts';
import { repetitions } from '../support/counts.ts';

const decision: Decision = {
  atMs: 0,
  backend: 'pool',
  policy: 'adaptive',
  unit: 'ms',
  preference: null,
  picked: 'gpu-b',
  waitedMs: 0,
  candidates: [
    { replica: 'gpu-b', price: 14.20449 },
    { replica: '127.0.0.1:8101', price: 20 },
    { replica: 'gpu-c', out: 'ejected' },
  ],
};

test('an explanation is a list of structured fields: the decision, then every replica', () => {
  assert.equal(
    explanationOf(decision),
    'adaptive;backend="pool";picked="gpu-b";unit=ms;waited=0, ' +
      '"gpu-b";price=14.204, "127.0.0.1:8101";price=20, "gpu-c";out=ejected',
  );
});

test('what came before prices is told', () => {
  assert.match(
    explanationOf({ ...decision, preference: 'affinity' }),
    /^adaptive;backend="pool";picked="gpu-b";first=affinity;unit=ms;/,
  );
});

test('where there was nobody to be picked, none is named', () => {
  const text = explanationOf({ ...decision, picked: null, waitedMs: 1000.5, candidates: decision.candidates.slice(2) });
  assert.equal(text, 'adaptive;backend="pool";picked=?0;unit=ms;waited=1000.5, "gpu-c";out=ejected');
});

test('of a thousand replicas the cheapest are told, and how many more there are', () => {
  const candidates = Array.from({ length: 1000 }, (_, at) => ({ replica: `replica-${at}`, price: at }));
  const text = explanationOf({ ...decision, candidates });
  assert.ok(text.length > 4000 && text.length <= 4096, `${text.length}`);
  const members = text.split(', ');
  assert.equal(members[1], '"replica-0";price=0');
  assert.equal(members.at(-1), `more;count=${1000 - (members.length - 2)}`);
});

test('whatever replicas are called and whatever they cost, it is a header of at most 4 KiB', () => {
  const name = fc.oneof(fc.string({ unit: 'binary', maxLength: 300, size: 'max' }), fc.string({ maxLength: 20 }));
  const candidate: fc.Arbitrary<Candidate> = fc.oneof(
    fc.record({ replica: name, price: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }) }),
    fc.record({ replica: name, out: fc.constantFrom('ejected' as const, 'no-credit' as const) }),
  );
  const any = fc.record({
    atMs: fc.constant(0),
    backend: name,
    policy: fc.constant('adaptive'),
    unit: fc.constant('ms' as const),
    preference: fc.constantFrom(null, 'affinity' as const, 'zone' as const),
    picked: fc.option(name),
    waitedMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
    candidates: fc.array(candidate, { maxLength: 100, size: 'max' }),
  });
  fc.assert(
    fc.property(any, (one) => {
      const text = explanationOf(one);
      assert.match(text, /^[ -~]*$/);
      assert.ok(text.length <= 4096, `${text.length}`);
    }),
    { numRuns: repetitions({ quick: 200, full: 20_000 }) },
  );
});
