import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { CacheOutcome } from '../../gateway/pipeline/sharing.ts';
import { exchangeLine } from '../../gateway/telemetry/exchange-line.ts';
import { repetitions } from '../support/counts.ts';
import { readExchange } from '../support/exchanges.ts';

type Line = Record<string, string | number>;

function parsed(exchange: Parameters<typeof exchangeLine>[0]): Line {
  return JSON.parse(`{${exchangeLine(exchange)}}`);
}

describe('the line of an exchange', () => {
  it('says what its journal learned', () => {
    const exchange = readExchange({ model: 'digits' });
    Object.assign(exchange.journal, {
      route: 'routes[0]',
      backend: 'pool',
      replica: 'pool/a',
      model: 'digits',
      tries: 2,
      queueWaitMs: 1.26,
      sentAtMs: 10,
      headAtMs: 30.04,
      endedAtMs: 45.678,
      bytesIn: 7,
      bytesOut: 9,
      status: 200,
      source: 'upstream',
    });
    assert.deepEqual(parsed(exchange), {
      id: 'r1',
      method: 'POST',
      path: '/v2/models/digits/infer',
      status: 200,
      code: 'ok',
      source: 'upstream',
      model: 'digits',
      route: 'routes[0]',
      backend: 'pool',
      replica: 'pool/a',
      tries: 2,
      durationMs: 45.7,
      queueWaitMs: 1.3,
      upstreamMs: 20,
      bytesIn: 7,
      bytesOut: 9,
    });
  });

  it('has the tokens of an answer that says what it took', () => {
    for (const [inputTokens, outputTokens] of [
      [12, 34],
      [12, 0],
      [0, 34],
    ]) {
      const exchange = readExchange();
      Object.assign(exchange.journal, { inputTokens, outputTokens });
      const line = parsed(exchange);
      assert.deepEqual([line.inputTokens, line.outputTokens], [inputTokens, outputTokens]);
    }
    assert.ok(!('inputTokens' in parsed(readExchange())));
  });

  it('says how the request fared at the cache, on routes that have one', () => {
    const cacheOf = (cache: CacheOutcome | null) => {
      const exchange = readExchange();
      exchange.journal.cache = cache;
      return parsed(exchange).cache;
    };
    assert.equal(cacheOf(null), undefined);
    assert.equal(cacheOf({ kind: 'hit', store: 'memory', freshUntilMs: 0, isStale: false }), 'hit');
    for (const why of ['bypass', 'miss', 'request', 'stale'] as const)
      assert.equal(cacheOf({ kind: 'forwarded', why, isStored: true }), why);
  });

  it('has the detail of a failure, and the time upstream also where no head came', () => {
    const exchange = readExchange();
    Object.assign(exchange.journal, {
      status: 502,
      code: 'upstream_unreachable',
      sentAtMs: 10,
      endedAtMs: 35,
      detail: 'at "x"\n  y',
    });
    const line = parsed(exchange);
    assert.deepEqual([line.upstreamMs, line.detail, line.code], [25, 'at "x"\n  y', 'upstream_unreachable']);
  });

  it('is one line of JSON that says the same, whatever text is in it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\r', '\u2028', '\0', '\x7f', 'é', '😀', 'a', '/', '{') }),
    );
    const texts = fc.record({ model: text, route: text, backend: text, replica: text, detail: text });
    fc.assert(
      fc.property(texts, (all) => {
        const exchange = readExchange();
        Object.assign(exchange.journal, all);
        const written = exchangeLine(exchange);
        assert.ok(!/[\n\r\0]/.test(written), 'it breaks the line');
        const line: Line = JSON.parse(`{${written}}`);
        for (const [name, value] of Object.entries(all)) assert.equal(line[name] ?? '', value, name);
      }),
      { numRuns: repetitions({ quick: 1000, full: 100_000 }) },
    );
  });
});
