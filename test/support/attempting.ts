import assert from 'node:assert/strict';
import type { Backend } from '../../gateway/balance/backend.ts';
import type { NonEmpty } from '../../gateway/balance/policy.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { Topic } from '../../gateway/kernel/topic.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import type { Reply } from '../../gateway/pipeline/reply.ts';
import type { Serve } from '../../gateway/pipeline/stage.ts';
import type { TryFact } from '../../gateway/pipeline/try-fact.ts';
import { attempt } from '../../gateway/stages/attempt.ts';
import { type BackendSpec, newBackend } from './backends.ts';
import { Dispatching } from './dispatching.ts';
import { type ExchangeSpec, readExchange } from './exchanges.ts';
import { ScriptedTransport } from './scripted-transport.ts';

type Answer = ConstructorParameters<typeof ScriptedTransport>[0];

/** The stage that tries, over real dispatching to one backend and a scripted transport. */
export class Attempting {
  readonly dispatching: Dispatching;
  readonly transport: ScriptedTransport;
  readonly tried: TryFact[] = [];
  readonly serve: Serve;
  readonly replicas: NonEmpty<Replica>;
  readonly backend: Backend;

  constructor(replicas: NonEmpty<Replica>, answer: Answer, spec: BackendSpec = {}) {
    this.replicas = replicas;
    this.dispatching = new Dispatching(replicas);
    this.transport = new ScriptedTransport(answer);
    const { transport, dispatching } = this;
    const { clock, wheel } = dispatching;
    this.backend = newBackend('pool', { dispatching, replicas, ...spec });
    const tried = new Topic<TryFact>();
    tried.subscribe((fact) => this.tried.push(fact));
    const parts = { transport, clock, wheel, rng: seededRng(1), tried };
    this.serve = attempt(parts).wrap(() => assert.fail('it has no next'));
  }

  /** A request that has been routed to the backend. */
  exchange(spec: ExchangeSpec = {}, fallbacks: readonly Backend[] = []): Exchange {
    const { clock, wheel } = this.dispatching;
    const exchange = readExchange({ clock, wheel, body: '{}', ...spec });
    const { backend, serve } = this;
    const destinations = [{ backend, weight: 1 }] as const;
    const route = { name: 'pool', destinations, fallbacks, mirror: null, sharing: null, deadlineMs: null, serve };
    exchange.choice = { route, backend, upstreamModel: backend.models[0]?.upstream ?? 'digits' };
    return exchange;
  }

  /** What comes of a request when so much time has passed. */
  async answer(exchange: Exchange = this.exchange(), withinMs = 1000): Promise<Reply> {
    const reply = this.serve(exchange);
    reply.catch(() => {});
    await this.dispatching.pass(withinMs);
    return reply;
  }

  /** How its tries ended, each as kind and outcome. */
  get outcomes(): string[] {
    return this.tried.map(({ kind, outcome }) => `${kind} ${outcome}`);
  }

  /** Where they were sent. */
  get sentTo(): string[] {
    return this.transport.sent.map(({ replica }) => replica.id);
  }

  assertAtRest(): void {
    for (const { id, slot } of this.replicas) assert.equal(slot.inFlight, 0, id);
    assert.deepEqual(this.dispatching.releasedTwice, []);
    assert.equal(this.dispatching.dispatcher.waitingCount, 0);
    assert.equal(this.dispatching.wheel.armedCount, 0);
  }
}
