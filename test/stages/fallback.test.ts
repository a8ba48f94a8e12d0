import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Backend } from '../../gateway/balance/backend.ts';
import { type ErrorCode, GatewayError } from '../../gateway/kernel/errors.ts';
import { Topic } from '../../gateway/kernel/topic.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { bytesBody } from '../../gateway/pipeline/reply.ts';
import type { TryFact } from '../../gateway/pipeline/try-fact.ts';
import { attempt } from '../../gateway/stages/attempt.ts';
import { anyBudget, newBackend } from '../support/backends.ts';
import { Dispatching } from '../support/dispatching.ts';
import { readExchange } from '../support/exchanges.ts';
import { newTime } from '../support/gates.ts';
import { newReplica, type ReplicaSpec } from '../support/replicas.ts';
import { ScriptedTransport, upstreamReply } from '../support/scripted-transport.ts';

/** A backend of one replica, on which nobody may wait. */
function backendOf(name: string, spec: ReplicaSpec = {}): Backend {
  const dispatching = new Dispatching([newReplica(spec)], { maxLength: 0 });
  return newBackend(name, { dispatching, models: [{ name: 'digits', upstream: `digits-of-${name}` }] });
}

interface Attempted {
  readonly exchange: Exchange;
  /** The paths that were asked for, in order. */
  readonly sent: string[];
  readonly status: number | ErrorCode;
}

/** Attempts an exchange on backends of which the second and later are fallbacks; each send fails with the next of some errors or statuses, then all succeed. */
async function attempted(
  backends: readonly [Backend, ...Backend[]],
  failures: (GatewayError | number)[] = [],
): Promise<Attempted> {
  const [backend, ...fallbacks] = backends;
  const exchange = readExchange({ body: '{}' });
  const transport = new ScriptedTransport(() => {
    const failure = failures.shift();
    if (failure instanceof Error) return Promise.reject(failure);
    return { ...upstreamReply(failure), body: bytesBody(Buffer.from('{}')) };
  });
  const parts = { transport, tried: new Topic<TryFact>(), ...newTime() };
  const serve = attempt(parts).wrap(() => assert.fail('it has no next'));
  const route = {
    name: 'r',
    destinations: [{ backend, weight: 1 }],
    fallbacks,
    mirror: null,
    sharing: null,
    deadlineMs: null,
    serve,
  } as const;
  exchange.choice = { route, backend, upstreamModel: 'digits-of-first' };
  let status: Attempted['status'];
  try {
    ({ status } = await serve(exchange));
  } catch (error) {
    status = error instanceof GatewayError ? error.code : assert.fail(String(error));
  }
  return { exchange, sent: transport.sent.map(({ request }) => request.path), status };
}

const pathOf = (name: string): string => `/v2/models/digits-of-${name}/infer`;
const failure = (code: ErrorCode): GatewayError => new GatewayError(code, code);

describe('a fallback', () => {
  it('serves what the backend before has no replica for, by its own name of the model', async () => {
    const { exchange, sent, status } = await attempted([
      backendOf('first', { standing: 'unready' }),
      backendOf('second', { standing: 'draining' }),
      backendOf('third'),
    ]);
    assert.deepEqual([status, sent], [200, [pathOf('third')]]);
    assert.deepEqual([exchange.journal.backend, exchange.journal.upstreamModel], ['third', 'digits-of-third']);
  });

  it('serves what the backend before has no room for', async () => {
    const { sent } = await attempted([backendOf('first', { slots: 1, inFlight: 2 }), backendOf('second')]);
    assert.deepEqual(sent, [pathOf('second')]);
  });

  it('serves what waited in vain for a replica of the backend before', async () => {
    const first = backendOf('first');
    first.dispatcher.take = () => Promise.reject(failure('queue_timeout'));
    const { sent, status } = await attempted([first, backendOf('second')]);
    assert.deepEqual([status, sent], [200, [pathOf('second')]]);
  });

  it('serves what broke or failed on the backend before', async () => {
    const errors = (['upstream_unreachable', 'upstream_broken', 'upstream_timeout'] as const).map(failure);
    for (const one of [...errors, 401, 403, 429, 500, 503]) {
      const { sent, status } = await attempted([backendOf('first'), backendOf('second')], [one]);
      assert.deepEqual([status, sent], [200, [pathOf('first'), pathOf('second')]], String(one));
    }
  });

  it('is not asked for an answer that is the client’s affair', async () => {
    for (const one of [200, 302, 400, 404, 422]) {
      const { sent, status } = await attempted([backendOf('first'), backendOf('second')], [one]);
      assert.deepEqual([status, sent], [one, [pathOf('first')]]);
    }
  });

  it('is not asked for what may have run and may not run again, but for what was never sent', async () => {
    const retrying = { maxTries: 3, isIdempotent: false, budget: anyBudget };
    for (const [one, sentTo, ended] of [
      [failure('upstream_broken'), ['first'], 'upstream_broken'],
      [500, ['first'], 500],
      [failure('upstream_unreachable'), ['first', 'second'], 200],
    ] as const) {
      const first = { ...backendOf('first'), retrying };
      const { sent, status } = await attempted([first, backendOf('second')], [one]);
      assert.deepEqual([status, sent], [ended, sentTo.map(pathOf)]);
    }
  });

  it('is not asked where it has no room, and the failure stands, its answer as it came', async () => {
    const noRoom = (): Backend => backendOf('second', { standing: 'unready' });
    assert.equal((await attempted([backendOf('first'), noRoom()], [500])).status, 500);
    const broken = await attempted([backendOf('first'), noRoom()], [failure('upstream_broken')]);
    assert.equal(broken.status, 'upstream_broken');
    assert.equal(broken.exchange.journal.backend, '');
  });

  it('is not asked when nothing of that has happened, nor when nobody waits any more', async () => {
    for (const code of ['deadline_exceeded', 'invalid_request', 'client_left', 'internal'] as const) {
      const { sent, status } = await attempted([backendOf('first'), backendOf('second')], [failure(code)]);
      assert.deepEqual([status, sent], [code, [pathOf('first')]]);
    }
  });

  it('says of the last one why nobody could serve it', async () => {
    const failures = [failure('upstream_broken'), failure('upstream_timeout')];
    const { status } = await attempted([backendOf('first'), backendOf('second')], failures);
    assert.equal(status, 'upstream_timeout');
  });
});
