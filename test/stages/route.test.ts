import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Rng, seededRng } from '../../gateway/kernel/rng.ts';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import type { Destination, Route, Routes, Subject } from '../../gateway/pipeline/route.ts';
import { route } from '../../gateway/stages/route.ts';
import { newBackend } from '../support/backends.ts';
import { readExchange } from '../support/exchanges.ts';
import { assertDrawnFrom, tally } from '../support/statistics.ts';

const answer = jsonReply(200, {}, 'upstream');
const old = newBackend('old', { models: [{ name: 'digits', upstream: 'digits-q8' }] });
const candidate = newBackend('candidate');

function newRoute(deadlineMs: number | null = null, destinations: Route['destinations'] = [to(old, 1)]): Route {
  return { name: 'routes[0]', destinations, fallbacks: [], deadlineMs, serve: async () => answer };
}

function to(backend: Destination['backend'], weight: number): Destination {
  return { backend, weight };
}

/** The stage on routes that give one route to everybody, or none. */
function stageFor(found: Route | null, asked: Subject[] = [], rng: Rng = seededRng(1), names: string[] = []) {
  const routes: Routes = {
    find(subject) {
      asked.push(subject);
      return found;
    },
    modelNames: () => names,
    protocolOf: () => null,
    isPlain: () => false,
  };
  return route(() => routes, rng).wrap(() => assert.fail('it has no next of its own'));
}

describe('routing', () => {
  it('goes by what the request shows, and on with the stages of its route', async () => {
    const asked: Subject[] = [];
    const headers = { 'x-beta': '1' };
    const exchange = readExchange({ headers });
    assert.equal(await stageFor(newRoute(), asked)(exchange), answer);
    const path = '/v2/models/digits/infer';
    assert.deepEqual(asked, [{ protocol: 'open-inference', model: 'digits', tenant: 'anonymous', path, headers }]);
  });

  it('notes the route, the backend, and the model by both its names', async () => {
    const exchange = readExchange();
    const found = newRoute();
    await stageFor(found)(exchange);
    assert.deepEqual(exchange.choice, { route: found, backend: old, upstreamModel: 'digits-q8' });
    const { journal } = exchange;
    assert.deepEqual([journal.model, journal.route, journal.backend], ['digits', 'routes[0]', 'old']);
  });

  it('draws a backend by weight for every request anew', async () => {
    const serve = stageFor(newRoute(null, [to(old, 9), to(candidate, 1)]));
    const exchanges = Array.from({ length: 5000 }, () => readExchange());
    for (const one of exchanges) await serve(one);
    let at = 0;
    const counts = tally([old, candidate], exchanges.length, () => exchanges[at++]?.choice.backend ?? old);
    assertDrawnFrom([0.9, 0.1], counts, 'weights 9 and 1');
  });

  it('cuts the exchange to the deadline of its route, counted from receipt', async () => {
    const exchange = readExchange();
    await stageFor(newRoute(250))(exchange);
    assert.equal(exchange.deadlineMs, exchange.receivedAtMs + 250);
    const unlimited = readExchange();
    await stageFor(newRoute(null))(unlimited);
    assert.equal(unlimited.deadlineMs, Number.POSITIVE_INFINITY);
  });

  it('answers 404 with the models there are to who asks for another', async () => {
    const serve = stageFor(null, [], seededRng(1), ['bert-*', 'digits']);
    await assert.rejects(async () => serve(readExchange({ model: 'no"such' })), {
      code: 'model_not_found',
      status: 404,
      field: 'model',
      message: 'model "no\\"such" is not known here; there are: bert-*, digits',
    });
    await assert.rejects(async () => stageFor(null)(readExchange()), {
      message: 'model "digits" is not known here; there are: no models',
    });
  });
});
