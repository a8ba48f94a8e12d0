import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Rng, seededRng } from '../../gateway/kernel/rng.ts';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import type { Destination, Route, Routes, Subject } from '../../gateway/pipeline/route.ts';
import { route } from '../../gateway/stages/route.ts';
import { newBackend } from '../support/backends.ts';
import { type ExchangeSpec, newGeneration, readExchange } from '../support/exchanges.ts';
import { assertDrawnFrom, tally } from '../support/statistics.ts';

const answer = jsonReply(200, {}, 'upstream');
const old = newBackend('old', { models: [{ name: 'digits', upstream: 'digits-q8' }] });
const candidate = newBackend('candidate');

function newRoute(deadlineMs: number | null = null, destinations: Route['destinations'] = [to(old, 1)]): Route {
  return {
    name: 'routes[0]',
    destinations,
    fallbacks: [],
    mirror: null,
    sharing: null,
    deadlineMs,
    serve: async () => answer,
  };
}

function to(backend: Destination['backend'], weight: number): Destination {
  return { backend, weight };
}

/** The stage, and how exchanges are opened in a configuration that gives one route to everybody, or none. */
function routing(found: Route | null, rng: Rng = seededRng(1), names: string[] = []) {
  const asked: Subject[] = [];
  const routes: Routes = {
    find(subject) {
      asked.push(subject);
      return found;
    },
    modelNames: () => names,
    protocolOf: () => null,
    isPlain: () => false,
  };
  const generation = newGeneration({ routes });
  const serve = route(rng).wrap(() => assert.fail('it has no next of its own'));
  return { serve, asked, open: (spec: ExchangeSpec = {}) => readExchange({ ...spec, generation }) };
}

describe('routing', () => {
  it('goes by what the request shows, and on with the stages of its route', async () => {
    const { serve, asked, open } = routing(newRoute());
    const headers = { 'x-beta': '1' };
    assert.equal(await serve(open({ headers })), answer);
    const path = '/v2/models/digits/infer';
    assert.deepEqual(asked, [{ protocol: 'open-inference', model: 'digits', tenant: 'anonymous', path, headers }]);
  });

  it('notes the route, the backend, and the model by both its names', async () => {
    const found = newRoute();
    const { serve, open } = routing(found);
    const exchange = open();
    await serve(exchange);
    assert.deepEqual(exchange.choice, { route: found, backend: old, upstreamModel: 'digits-q8' });
    const { journal } = exchange;
    assert.deepEqual([journal.model, journal.route, journal.backend], ['digits', 'routes[0]', 'old']);
  });

  it('draws a backend by weight for every request anew', async () => {
    const { serve, open } = routing(newRoute(null, [to(old, 9), to(candidate, 1)]));
    const exchanges = Array.from({ length: 5000 }, () => open());
    for (const one of exchanges) await serve(one);
    let at = 0;
    const counts = tally([old, candidate], exchanges.length, () => exchanges[at++]?.choice.backend ?? old);
    assertDrawnFrom([0.9, 0.1], counts, 'weights 9 and 1');
  });

  it('cuts the exchange to the deadline of its route, counted from receipt', async () => {
    for (const [limitMs, deadlineMs] of [
      [250, 250],
      [null, Number.POSITIVE_INFINITY],
    ] as const) {
      const { serve, open } = routing(newRoute(limitMs));
      const exchange = open();
      await serve(exchange);
      assert.equal(exchange.deadlineMs, exchange.receivedAtMs + deadlineMs);
    }
  });

  it('answers 404 with the models there are to who asks for another', async () => {
    const { serve, open } = routing(null, seededRng(1), ['bert-*', 'digits']);
    await assert.rejects(async () => serve(open({ model: 'no"such' })), {
      code: 'model_not_found',
      status: 404,
      field: 'model',
      message: 'model "no\\"such" is not known here; there are: bert-*, digits',
    });
    const empty = routing(null);
    await assert.rejects(async () => empty.serve(empty.open()), {
      message: 'model "digits" is not known here; there are: no models',
    });
  });
});
