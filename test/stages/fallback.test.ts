import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Backend } from '../../gateway/balance/backend.ts';
import { type ErrorCode, GatewayError } from '../../gateway/kernel/errors.ts';
import { Topic } from '../../gateway/kernel/topic.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { bytesBody } from '../../gateway/pipeline/reply.ts';
import type { TryFact } from '../../gateway/pipeline/try-fact.ts';
import { attempt } from '../../gateway/stages/attempt.ts';
import { newBackend } from '../support/backends.ts';
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

/** Attempts an exchange on backends of which the second and later are fallbacks; each send fails with the next of some errors, then all succeed. */
async function attempted(
  backends: readonly [Backend, ...Backend[]],
  failures: GatewayError[] = [],
): Promise<Attempted> {
  const [backend, ...fallbacks] = backends;
  const exchange = readExchange({ body: '{}' });
  const transport = new ScriptedTransport(() => {
    const failure = failures.shift();
    return failure === undefined ? { ...upstreamReply(), body: bytesBody(Buffer.from('{}')) } : Promise.reject(failure);
  });
  const parts = { transport, tried: new Topic<TryFact>(), ...newTime() };
  const serve = attempt(parts).wrap(() => assert.fail('it has no next'));
  const route = {
    name: 'r',
    destinations: [{ backend, weight: 1 }],
    fallbacks,
    mirror: null,
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

  it('serves what broke on the backend before', async () => {
    for (const code of [
      'upstream_unreachable',
      'upstream_broken',
      'upstream_timeout',
      'upstream_credential',
    ] as const) {
      const { sent, status } = await attempted([backendOf('first'), backendOf('second')], [failure(code)]);
      assert.deepEqual([status, sent], [200, [pathOf('first'), pathOf('second')]], code);
    }
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
