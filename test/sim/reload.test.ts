import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { repetitions } from '../support/counts.ts';
import { Reloading } from '../support/reloading.ts';
import type { Script, Seen } from '../support/simulated-replica.ts';

const hosts = ['a', 'b', 'c', 'd'] as const;
const host = fc.constantFrom(...hosts);
const ms = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });

const configuration = fc.record({
  name: fc.constantFrom('pool', 'other'),
  replicas: fc.uniqueArray(
    fc.record({
      host,
      isRenamed: fc.boolean(),
      slots: fc.option(fc.integer({ min: 1, max: 2 })),
      weight: fc.constantFrom(1, 3),
    }),
    { selector: (one) => one.host, minLength: 1, maxLength: 4 },
  ),
  policy: fc.constantFrom('round-robin', 'random', 'least-outstanding', 'p2c'),
  connect: fc.constantFrom('1s', '2s'),
  every: fc.constantFrom('200ms', '5s'),
  scrape: fc.constantFrom(
    '',
    'scrape: { dialect: vllm, every: 2s }',
    'scrape: { dialect: vllm, every: 1500ms, port: 9 }',
  ),
  queueMax: fc.integer({ min: 0, max: 6 }),
});

type Configuration = typeof configuration extends fc.Arbitrary<infer T> ? T : never;

/** Its number stands in what is sent upstream in two places, which come from two parts of the configuration. */
function written({ name, replicas, policy, connect, every, scrape, queueMax }: Configuration, number: number): string {
  const all = replicas.map(
    ({ host: at, isRenamed, slots, weight }) =>
      `{ id: ${at}${isRenamed ? '2' : ''}, url: "http://${at}", weight: ${weight}, headers: { x-config: "${number}" }${slots === null ? '' : `, slots: ${slots}`} }`,
  );
  return `backends:
  - name: ${name}
    protocol: open-inference
    models: [{ name: m, upstream: m-${number} }]
    policy: ${policy}
    queue: { max: ${queueMax}, wait: 300ms }
    timeouts: { connect: ${connect}, first_byte: 400ms, idle: 300ms, total: 2s }
    health: { every: ${every}, timeout: 100ms, unhealthy: 1, healthy: 1 }
    load: { ${scrape} }
    replicas: [${all.join(', ')}]
`;
}

const script: fc.Arbitrary<Script> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ headAfterMs: ms(200) }) },
  {
    weight: 1,
    arbitrary: fc.record({ headAfterMs: ms(50), ends: fc.constantFrom('broken' as const, 'hangs' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ refusesAfterMs: ms(20) }) },
);

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('reload' as const), to: configuration }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('ask' as const), leavesAfterMs: fc.option(ms(300)) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drain' as const), host, isDrained: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('health' as const), host, script: healthScript() }) },
);

function healthScript(): fc.Arbitrary<Script> {
  return fc.record({ headAfterMs: fc.constantFrom(0, 60, 500), status: fc.constantFrom(200, 200, 503) });
}

const history = fc.record({
  seed: fc.nat(),
  first: configuration,
  scripts: fc.array(script, { minLength: 1, maxLength: 8, size: 'max' }),
  steps: fc.array(fc.record({ afterMs: ms(60), step }), { minLength: 1, maxLength: 40, size: 'max' }),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Reloads follow one another, as the reloader sees to. */
class History {
  readonly play: Reloading;
  #reloads: Promise<void> = Promise.resolve();
  #number = 0;

  constructor(seed: number, first: Configuration, scripts: readonly Script[]) {
    this.play = new Reloading(written(first, 0), {
      seed,
      script: (at, n) => scripts[(n * 5 + at.charCodeAt(0)) % scripts.length] ?? {},
    });
  }

  take(one: Step): void {
    const { play } = this;
    if (one.kind === 'reload') this.#reload(one.to);
    else if (one.kind === 'health') play.health.set(one.host, one.script);
    else if (one.kind === 'ask') {
      const { exchange } = play.ask();
      if (one.leavesAfterMs !== null)
        play.clock.after(one.leavesAfterMs, () =>
          exchange.cancellation.cancel(new GatewayError('client_left', 'left')),
        );
    } else {
      const state = this.#states().get(one.host);
      if (one.isDrained) state?.drain();
      else state?.undrain();
    }
  }

  #reload(to: Configuration): void {
    const yaml = written(to, ++this.#number);
    this.#reloads = this.#reloads.then(async () => {
      const done = this.play.reload(yaml);
      const before = this.#states();
      await done;
      for (const [at, state] of this.#states())
        assert.ok(!before.has(at) || before.get(at) === state, `${at} stays what it was`);
    });
  }

  /** By host. */
  #states() {
    const { members } = this.play.generations.current;
    return new Map(members.map(({ replica }) => [new URL(replica.address.origin).host, replica.state]));
  }

  /** Lets everything end, and looks at what is left. */
  async end(): Promise<void> {
    const { play } = this;
    await play.pass(200_000);
    await this.#reloads;
    assert.ok(
      play.asked.every(({ status }) => status !== null),
      'every request has ended',
    );
    assert.deepEqual(play.leftovers(), []);
    assert.deepEqual([...play.seen.values()].flat().filter(isMixed), [], 'no request saw two configurations');
    for (const { exchange } of play.asked)
      if (exchange.journal.backend !== '')
        assert.ok(exchange.generation.backends.includes(exchange.choice.backend), 'it kept to its own');
    await play.generations.close();
    await play.clock.runAll();
    assert.deepEqual([play.living.size, play.board.taken.size, play.wheel.armedCount], [0, 0, 0]);
  }
}

function isMixed({ path, headers }: Seen): boolean {
  const ofModel = /\/m-(\d+)\//.exec(path)?.[1];
  return ofModel !== undefined && ofModel !== headers[headers.indexOf('x-config') + 1];
}

describe('whatever configurations follow each other, and whoever asks meanwhile', () => {
  it('every request is served by one of them, every replica ends once, and nothing is left behind', async () => {
    await fc.assert(
      fc.asyncProperty(history, async ({ seed, first, scripts, steps }) => {
        const one = new History(seed, first, scripts);
        for (const { afterMs, step: next } of steps) {
          await one.play.pass(afterMs);
          one.take(next);
        }
        await one.end();
      }),
      { numRuns: repetitions({ quick: 100, full: 1_000 }) },
    );
  });
});
