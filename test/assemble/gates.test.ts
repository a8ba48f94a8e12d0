import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import pino from 'pino';
import { placeOf, ReplicaLife } from '../../gateway/assemble-replica.ts';
import { alone } from '../../gateway/balance/replica.ts';
import { Fleet } from '../../gateway/guard/fleet.ts';
import { LoadBoard } from '../../gateway/kernel/load-board.ts';
import { parseSettings } from '../../gateway/settings/load.ts';
import { EventLog } from '../../gateway/telemetry/event-log.ts';
import { UndiciTransport } from '../../gateway/upstream/undici-transport.ts';
import { newTime } from '../support/gates.ts';
import { Reloading } from '../support/reloading.ts';

/** A configuration of one backend with the model `m` and replicas at hosts; `more` are keys of the backend. */
function pool(hosts: readonly string[], more = ''): string {
  const replicas = hosts.map((host) => `{ id: ${host}, url: "http://${host}" }`).join(', ');
  return `backends: [{ name: pool, protocol: open-inference, models: [m], replicas: [${replicas}], ${more} }]`;
}

/** Two replicas, of which the host in the set fails. */
async function started(broken: ReadonlySet<string>, more = ''): Promise<Reloading> {
  const play = new Reloading(pool(['a', 'b'], more), {
    script: (host) => ({ headAfterMs: 1, status: broken.has(host) ? 500 : 200 }),
  });
  await play.pass(50);
  return play;
}

async function reloaded(play: Reloading, yaml: string): Promise<void> {
  const done = play.reload(yaml);
  await play.pass(50);
  await done;
}

async function ask(play: Reloading, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    play.ask();
    await play.pass(10);
  }
}

const roundRobin = 'policy: round-robin';

describe('a replica that is ejected', () => {
  for (const how of ['by its traffic', 'by an operator']) {
    it(`${how} stays so through reloads, also such as change the rules`, async () => {
      const broken = new Set(['a']);
      const play = await started(broken, roundRobin);
      const { gate } = play.replica('pool/a');
      if (how === 'by an operator') gate.eject();
      else await ask(play, 12);
      assert.equal(gate.state, 'ejected');
      const { story } = gate;
      const breaker = 'breaker: { consecutive: 9, window: 30s, eject: 1s }';
      for (const more of ['', breaker, `${breaker}, retry: { tries: 1 }`]) await reloaded(play, pool(['a', 'b'], more));
      const after = play.replica('pool/a').gate;
      assert.deepEqual([after.state, after.story], ['ejected', story]);
      broken.clear();
      await ask(play, 10);
      const toA = play.asked.slice(-10).filter(({ exchange }) => exchange.journal.replica === 'pool/a');
      assert.equal(toA.length, 0);
      await play.pass(6000);
      await ask(play, 3);
      assert.equal(after.state, how === 'by an operator' ? 'ejected' : 'passing');
    });
  }
});

it('other rules hold from the reload on', async () => {
  const play = await started(new Set(['a']), `${roundRobin}, breaker: { consecutive: 1000, min_requests: 100000 }`);
  await ask(play, 20);
  assert.equal(play.replica('pool/a').gate.state, 'passing');
  await reloaded(play, pool(['a', 'b'], `${roundRobin}, breaker: { consecutive: 2 }`));
  await ask(play, 2);
  assert.deepEqual([play.replica('pool/a').gate.state, play.replica('pool/b').gate.state], ['ejected', 'passing']);
});

it('how many may be out is told by the replicas of the newest configuration', async () => {
  const broken = new Set(['a', 'b']);
  const play = await started(broken, roundRobin);
  await ask(play, 30);
  const out = (): string[] =>
    (play.current.backends[0]?.replicas ?? []).filter(({ gate }) => gate.state === 'ejected').map(({ id }) => id);
  assert.equal(out().length, 1);
  await reloaded(play, pool(['a', 'b', 'c', 'd'], roundRobin));
  await ask(play, 30);
  assert.deepEqual(out(), ['a', 'b']);
});

describe('a worker’s new process', () => {
  /** The life of one bundled worker, whose program ends at once, on a virtual clock. */
  function life(context: TestContext): { life: ReplicaLife; untilRestarted: () => Promise<void> } {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-life-'));
    const { backends } = parseSettings(
      'backends: [{ name: pool, protocol: open-inference, models: [digits], replicas: [{ worker: { models: [digits] } }] }]',
      'gateway.yaml',
      {},
    );
    const [backend = assert.fail()] = backends;
    const [settings = assert.fail()] = backend.replicas;
    const time = newTime();
    const one = new ReplicaLife(settings, backend, placeOf(settings, backend), {
      ...time,
      peers: alone,
      board: new LoadBoard(1),
      transport: new UndiciTransport({ ...time, connect: () => assert.fail('nothing is sent') }),
      log: pino({ level: 'silent' }),
      newSocketPath: () => join(folder, 'w.sock'),
      workerCommand: [process.execPath, '-e', 'process.exit(3)', '--'],
      bundledModels: folder,
      living: new Set(),
      events: new EventLog(time.clock),
    });
    context.after(async () => {
      await one.close();
      rmSync(folder, { recursive: true, force: true });
    });
    one.follow(one.hold(settings, backend, new Fleet()));
    const untilReason = async (wanted: RegExp): Promise<void> => {
      while (!wanted.test(one.state.reason)) await time.clock.runUntil(time.clock.nowMs());
    };
    return {
      life: one,
      async untilRestarted() {
        await untilReason(/exited with code 3/);
        await time.clock.runUntil(time.clock.nowMs() + 60_000);
        await untilReason(/loads the models|exited/);
      },
    };
  }

  it('has nothing held against it that the one before did', async (context) => {
    const { life: one, untilRestarted } = life(context);
    const { gate } = one.state;
    for (let n = 0; n < 5; n++) gate.enter()?.settle('unreachable');
    assert.equal(gate.state, 'ejected');
    await untilRestarted();
    assert.equal(gate.state, 'passing');
    assert.match(gate.story.reason, /^its process \d+ is a new one$/);
  });

  it('stays out where an operator has ejected the replica', async (context) => {
    const { life: one, untilRestarted } = life(context);
    one.state.gate.eject();
    await untilRestarted();
    assert.deepEqual([one.state.gate.state, one.state.gate.cause], ['ejected', 'operator']);
  });
});
