import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PassingBody } from '../../gateway/pipeline/passing-body.ts';
import { type BodyEnd, bytesBody } from '../../gateway/pipeline/reply.ts';
import type { Serve } from '../../gateway/pipeline/stage.ts';
import { Flying, textOf } from '../support/caching/flying.ts';
import type { WorkScript } from '../support/caching/scripted-work.ts';
import { repetitions } from '../support/counts.ts';
import {
  assertAlone,
  assertBytes,
  assertFast,
  assertNobodyElse,
  assertOnce,
  history,
  play,
} from './flight-histories.ts';

describe('whatever those who share do, and whatever becomes of what they share', () => {
  const numRuns = repetitions({ quick: 300, full: 10_000 });

  it('each is answered once, with the bytes of one answer from its beginning, and nothing is left behind', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (one) => {
        const played = await play(one);
        assertOnce(played);
        for (const called of played.flying.called) assertBytes(called, played);
      }),
      { numRuns },
    );
  });

  it('nothing is computed for nobody, ended though somebody stays, held up by the slow, or computed twice beside each other', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (one) => {
        const played = await play({ ...one, roomBytes: 1 << 24, maxBytes: 1 << 20 });
        assertNobodyElse(played);
        assertAlone(played);
        assertFast(played);
      }),
      { numRuns },
    );
  });
});

describe('a thousand requests that ask the same over the whole of a computation of 2 s', () => {
  const piece = (n: number) => ({ afterMs: 100, bytes: Buffer.from(`data: ${n}\n\n`) });
  const scripts: Readonly<Record<string, WorkScript>> = {
    whole: { headAfterMs: 2000, pieces: [{ afterMs: 0, bytes: Buffer.from('{"outputs":[]}') }] },
    streamed: { headAfterMs: 100, pieces: Array.from({ length: 19 }, (_, n) => piece(n)) },
  };

  for (const [form, script] of Object.entries(scripts)) {
    it(`have it computed once, ${form}, and each gets all of it when it is there`, async () => {
      const flying = new Flying({ script: () => script });
      for (let n = 0; n < 1000; n++) flying.clock.after(n * 2, () => flying.call());
      await flying.clock.runAll();
      assert.equal(flying.work.begun.length, 1);
      assert.equal(flying.flights.counts.followers, 999);
      const whole = Buffer.concat((script.pieces ?? []).map(({ bytes }) => bytes)).toString();
      for (const called of flying.called)
        assert.deepEqual([textOf(called), called.ends, called.endedAtMs], [whole, ['complete'], 2000]);
      assert.deepEqual(flying.leftovers(), []);
    });
  }
});

describe('a flight below which the answer is stored', () => {
  /** A cache in front of the flight, and one below it that is filled when the answer is whole. */
  function caching() {
    const kept = new Map<string, Uint8Array>();
    const whenKept: (() => void)[] = [];
    const flying: Flying = new Flying({ script: () => ({ headAfterMs: 20, pieces }), around: { above, below } });
    const pieces = [1, 2, 3].map((n) => ({ afterMs: 20, bytes: Buffer.from(String(n)) }));
    function above(next: Serve): Serve {
      return async (exchange) => {
        const found = kept.get(exchange.sharing?.key ?? '');
        return found === undefined
          ? next(exchange)
          : { status: 200, headers: [], source: 'upstream', body: bytesBody(found) };
      };
    }
    function below(next: Serve): Serve {
      return async (exchange) => {
        const reply = await next(exchange);
        const put = (bytes: Uint8Array): void => {
          for (const call of whenKept.splice(0)) call();
          kept.set(exchange.sharing?.key ?? '', bytes);
          for (const call of whenKept.splice(0)) call();
        };
        return { ...reply, body: new StoredBody(reply.body, put) };
      };
    }
    return { flying, whenKept };
  }

  class StoredBody extends PassingBody {
    readonly #pieces: Uint8Array[] = [];
    readonly #put: (bytes: Uint8Array) => void;

    constructor(inner: ConstructorParameters<typeof PassingBody>[0], put: (bytes: Uint8Array) => void) {
      super(inner);
      this.#put = put;
    }

    override chunk(bytes: Uint8Array): boolean {
      this.#pieces.push(bytes);
      return this.passOn(bytes);
    }

    override end(how: BodyEnd): void {
      this.passEnd(how, undefined, () => this.#put(Buffer.concat(this.#pieces)));
    }
  }

  it('leaves no instant at which a request finds neither: not before it is stored, not after, not when the first is told of the end', async () => {
    const { flying, whenKept } = caching();
    const more = (): void => {
      flying.call({ onEnd: () => flying.call() });
    };
    for (let atMs = 0; atMs <= 90; atMs += 10) flying.clock.after(atMs, more);
    whenKept.push(() => {
      more();
      whenKept.push(more);
    });
    await flying.clock.runAll();
    assert.equal(flying.work.begun.length, 1);
    assert.equal(flying.called.length, 2 * 12);
    assert.deepEqual([...new Set(flying.called.map((one) => `${textOf(one)} ${one.ends}`))], ['123 complete']);
    assert.deepEqual(flying.leftovers(), []);
  });
});
