import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { isFull, repetitions } from '../support/counts.ts';
import { eventually, type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { arriveLive, type LiveAnswer } from '../support/live-arrivals.ts';
import type { RawBackend } from '../support/raw-backend.ts';
import { slottedBackend } from '../support/slotted-backend.ts';

const minuteMs = 60_000;
const forMs = repetitions({ quick: 6_000, full: minuteMs });
const ratePerSecond = 420;
const slots = 4;
const count = 8;
const firstByteMs = 1_000;
const meanMs = (0.6 * count * slots * 1000) / ratePerSecond;

interface Fault {
  readonly line: string;
  readonly share: number;
  /** Of errors in a minute, with retries and with one try. */
  readonly errors: readonly [retried: number, once: number];
  readonly isRefusing?: boolean;
}

const refusing = { share: 1, errors: [0.002, 0.01], isRefusing: true } as const;
const faults: Readonly<Record<string, Fault>> = {
  'fails every request': { line: '500 So', share: 1, errors: [0.002, 0.002] },
  'fails 50 %': { line: '500 So', share: 0.5, errors: [0.005, 0.005] },
  'fails 30 %': { line: '500 So', share: 0.3, errors: [0.002, 0.005] },
  'answers 401': { line: '401 No', ...refusing },
  'answers 404': { line: '404 No', ...refusing },
  'answers 429': { line: '429 No', ...refusing },
  hangs: { line: 'hang', share: 1, errors: [0.002, 1] },
};
const policies = ['least-outstanding', 'round-robin', 'p2c'] as const;

/** Two backends of eight replicas each behind one gateway, of which the second makes one try only. */
async function start(context: TestContext, policy: string, { line, share }: Fault, seed: number) {
  const rng = seededRng(seed);
  const pools = await Promise.all(
    ['retried', 'once'].map(async (name) => {
      const fate = (at: number) => (): string | null => (at === 0 && rng.next() < share ? line : null);
      const replicas = await Promise.all(
        Array.from({ length: count }, (_, at) => slottedBackend(context, { slots, meanMs, rng, fate: fate(at) })),
      );
      return { name, replicas };
    }),
  );
  const yaml = pools.map(({ name, replicas }) => {
    const written = replicas.map(({ url }, at) => `{ id: r${at}, url: "${url}" }`).join(', ');
    const retry = `retry: { tries: ${name === 'once' ? 1 : 3} }, timeouts: { first_byte: ${firstByteMs}ms }`;
    return `  - { name: ${name}, protocol: open-inference, models: [${name}], policy: ${policy}, ${retry}, replicas: [${written}] }`;
  });
  const gateway = await startGateway(context, `backends:\n${yaml.join('\n')}\ntelemetry: { log: warn }\n`);
  const readies = async (): Promise<boolean> =>
    ((await (await fetch(`${gateway.admin}/api/backends`)).json()) as { replicas: { standing: string }[] }[]).every(
      ({ replicas }) => replicas.every(({ standing }) => standing === 'ready'),
    );
  await eventually('all replicas are ready', readies);
  return { gateway, broken: pools.map(({ replicas }) => replicas[0] ?? assert.fail()) };
}

interface Seen {
  readonly answers: readonly LiveAnswer[];
  readonly broken: RawBackend;
  readonly tries: number;
  /** From its first request on; null where it was never ejected. */
  readonly outAfterMs: number | null;
}

/** When a replica was ejected first, by the log. */
function ejectedAtMs({ process }: RunningGateway, replica: string): number | null {
  const found = process.log.find((one) => one.replica === replica && one.gate === 'ejected');
  return found === undefined ? null : Number(found.time);
}

function assertBearable(context: TestContext, claim: string, fault: Fault, at: number, seen: Seen): void {
  const { answers, tries, broken, outAfterMs } = seen;
  const errors = answers.filter(({ status }) => status !== 200).length;
  const share = (part: number): string => `${((100 * part) / answers.length).toFixed(3)} %`;
  context.diagnostic(
    `${claim}, ${at === 0 ? 'retries' : 'one try'}: ${answers.length} requests, errors ${share(errors)}, ` +
      `tries ${(tries / answers.length).toFixed(3)}, to the broken one ${share(broken.arrivals.length)}, ` +
      `out after ${outAfterMs === null ? '-' : `${Math.round(outAfterMs)} ms`}`,
  );
  // What a fault costs, it costs at its beginning: a shorter run is allowed what a minute is.
  const requests = Math.max(answers.length, (ratePerSecond * minuteMs) / 1000);
  assert.ok(errors <= (fault.errors[at] ?? 0) * requests, `${errors} errors`);
  if (fault.isRefusing === true) assert.ok(broken.arrivals.length < 0.01 * requests, `${broken.arrivals.length}`);
  if (at === 0) assert.ok(tries <= 1.2 * answers.length, `${tries} tries`);
  // Three that hang suffice, and so many it gets within its first second, whatever the policy.
  if (claim.startsWith('hangs')) assert.ok((outAfterMs ?? assert.fail('never out')) <= 2_000, `${outAfterMs} ms`);
}

for (const [at, [claim, fault]] of Object.entries(faults).entries()) {
  // A quick run takes some of them, and the policies in turn.
  const chosen = isFull ? policies : at % 3 === 0 ? policies.slice((at / 3) % 3, ((at / 3) % 3) + 1) : [];
  for (const policy of chosen) {
    test(`no client feels much of one replica of eight that ${claim}, by ${policy}`, async (context) => {
      const seed = 200 + at;
      const { gateway, broken } = await start(context, policy, fault, seed);
      const names = ['retried', 'once'];
      const runs = await Promise.all(
        names.map((model, n) =>
          arriveLive({ client: gateway.client, model, ratePerSecond, forMs, rng: seededRng(seed + n) }),
        ),
      );
      for (const [n, answers] of runs.entries()) {
        const name = names[n] ?? assert.fail();
        const one = broken[n] ?? assert.fail();
        const outAtMs = ejectedAtMs(gateway, `${name}/r0`);
        const firstAtMs = performance.timeOrigin + (one.arrivals[0]?.atMs ?? assert.fail());
        assertBearable(context, `${claim}, ${policy}`, fault, n, {
          answers,
          broken: one,
          tries: await gateway.metric('headgate_tries_total', { backend: name }),
          outAfterMs: outAtMs === null ? null : outAtMs - firstAtMs,
        });
      }
    });
  }
}
