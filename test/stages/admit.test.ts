import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import { admit } from '../../gateway/stages/admit.ts';
import { newBackend } from '../support/backends.ts';
import { Dispatching } from '../support/dispatching.ts';
import { readExchange } from '../support/exchanges.ts';
import { newReplica, type ReplicaSpec } from '../support/replicas.ts';

const answer = jsonReply(200, {}, 'upstream');
const serve = admit().wrap(async () => answer);

/** An exchange whose backend has one replica and no line. */
function exchangeFor(spec: ReplicaSpec): Exchange {
  const exchange = readExchange();
  const backend = newBackend('pool', { dispatching: new Dispatching([newReplica(spec)], { maxLength: 0 }) });
  const route = {
    name: 'pool',
    destinations: [{ backend, weight: 1 }],
    fallbacks: [],
    mirror: null,
    sharing: null,
    deadlineMs: null,
    serve: async () => answer,
  } as const;
  exchange.choice = { route, backend, upstreamModel: 'digits' };
  return exchange;
}

describe('admission', () => {
  it('passes on what can be served, or can wait', async () => {
    const exchange = readExchange();
    const waits = newBackend('pool', { dispatching: new Dispatching([newReplica({ slots: 1, inFlight: 2 })]) });
    exchange.choice = { ...exchangeFor({}).choice, backend: waits };
    assert.equal(await serve(exchange), answer);
  });

  it('refuses at once what no replica is in prospect for', async () => {
    const refused = async () => serve(exchangeFor({ standing: 'unready' }));
    await assert.rejects(refused, { code: 'none_eligible', status: 503 });
  });

  it('passes on what only a fallback could serve', async () => {
    const { choice } = exchangeFor({ standing: 'unready' });
    const [able, unable] = [exchangeFor({}).choice.backend, exchangeFor({ standing: 'unready' }).choice.backend];
    const exchange = readExchange();
    exchange.choice = { ...choice, route: { ...choice.route, fallbacks: [unable, able] } };
    assert.equal(await serve(exchange), answer);
    exchange.choice = { ...choice, route: { ...choice.route, fallbacks: [unable] } };
    await assert.rejects(async () => serve(exchange), { code: 'none_eligible' });
  });

  it('refuses what nobody waits for any more', async () => {
    const exchange = exchangeFor({});
    exchange.cancellation.cancel(new GatewayError('client_left', 'left'));
    await assert.rejects(async () => serve(exchange), { code: 'client_left' });
  });
});
