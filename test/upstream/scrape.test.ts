import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { vllm } from '../../gateway/upstream/dialects/vllm.ts';
import { Scraper } from '../../gateway/upstream/scrape.ts';
import { UndiciTransport } from '../../gateway/upstream/undici-transport.ts';
import { newReplica } from '../support/replicas.ts';
import { type Script, SimulatedReplica } from '../support/simulated-replica.ts';

const usualMs = 200;

/** An answer with a page. */
function page(text: string, more: Script = {}): Script {
  return { headAfterMs: 1, pieces: [{ afterMs: 0, bytes: Buffer.from(text) }], ...more };
}

function waiting(count: number | string): Script {
  return page(`vllm:num_requests_waiting{engine="0"} ${count}\n`);
}

/** A scraper of a replica that answers as the test says. */
class Scraping {
  readonly clock = new VirtualClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly told: (string | null)[] = [];
  readonly simulated = new SimulatedReplica(this.clock, () => this.script);
  readonly replica = newReplica({ address: { basePath: '/prefix', headers: { 'x-key': 'k' } } });
  readonly scraper: Scraper;
  script: Script;

  constructor(script: Script = waiting(3), phaseShare = 0, everyMs = usualMs) {
    this.script = script;
    const { clock, wheel, replica } = this;
    const transport = new UndiciTransport({ clock, wheel, connect: () => this.simulated });
    transport.hold(replica, 1000);
    this.scraper = new Scraper({
      at: replica,
      path: '/metrics',
      state: replica.state,
      dialect: vllm,
      everyMs,
      phaseShare,
      transport,
      clock,
      tell: (trouble) => this.told.push(trouble),
    });
  }

  /** When it asked for the page. */
  get askedAtMs(): number[] {
    return this.simulated.seen.map(({ startedAtMs }) => startedAtMs);
  }

  get faults(): Record<string, number> {
    return Object.fromEntries(this.replica.state.reportFaults.counts);
  }

  async pass(forMs: number, script = this.script): Promise<void> {
    this.script = script;
    await this.clock.runUntil(this.clock.nowMs() + forMs);
  }
}

async function started(...parts: ConstructorParameters<typeof Scraping>): Promise<Scraping> {
  const play = new Scraping(...parts);
  play.scraper.start();
  await play.pass(usualMs / 2);
  return play;
}

describe('a scraper', () => {
  it('asks for the page as the replica is configured, over and over, and hands on what it says', async () => {
    const play = await started();
    const { state } = play.replica;
    assert.deepEqual(play.simulated.seen[0]?.path, '/prefix/metrics');
    assert.deepEqual(play.simulated.seen[0]?.headers, ['x-key', 'k']);
    assert.deepEqual([state.report?.queued, state.reportSource], [3, 'scrape']);
    await play.pass(3 * usualMs, waiting(5));
    assert.equal(state.report?.queued, 5);
    assert.deepEqual(play.askedAtMs, [0, 200, 400, 600]);
    assert.deepEqual([play.told, play.faults], [[], {}]);
  });

  it('begins where its phase has it, so that many are spread', async () => {
    for (const phaseShare of [0, 0.25, 0.9]) {
      const play = await started(waiting(1), phaseShare);
      await play.pass(2 * usualMs);
      assert.equal(play.askedAtMs[0], phaseShare * usualMs);
    }
  });

  it('begins within a second also where it is to ask but once an hour', async () => {
    const play = await started(waiting(1), 0.5, 3_600_000);
    await play.pass(7_200_000);
    assert.deepEqual(play.askedAtMs, [500, 3_600_500]);
  });

  it('reads one page at a time, and leaves out what a slow one has missed', async () => {
    const play = await started({ ...waiting(3), headAfterMs: 450 });
    await play.pass(1200);
    assert.deepEqual(play.askedAtMs, [0, 600, 1200]);
    assert.deepEqual(play.told, []);
  });

  it('takes an answer that comes later than a second for none', async () => {
    const play = await started({ ...waiting(3), headAfterMs: 1500 });
    await play.pass(1100);
    assert.deepEqual([play.replica.state.report, play.faults], [null, { page_unreachable: 1 }]);
  });

  const troubles: Readonly<Record<string, readonly [script: Script, kind: string, what: RegExp]>> = {
    'cannot be reached': [{ refusesAfterMs: 1 }, 'page_unreachable', /^connect ECONNREFUSED$/],
    'is not there': [page('no', { status: 404 }), 'page_unreachable', /^status 404$/],
    'breaks off': [page('vllm:num', { ends: 'broken' }), 'page_unreachable', /^other side closed$/],
    'is without end': [
      page('x'.repeat(1 << 20), { pieces: pieces(6) }),
      'page_unreachable',
      /^it is over 4194304 bytes$/,
    ],
    'is another’s': [page('sglang:num_queue_reqs 3\n'), 'page_unknown', /^there is no metric of its dialect on it$/],
    'is empty': [page(''), 'page_unknown', /^there is no metric of its dialect on it$/],
  };

  for (const [name, [script, kind, what]] of Object.entries(troubles)) {
    it(`tells of a page that ${name} when it has happened three times, once, and when that is over`, async () => {
      const play = await started(script);
      await play.pass(usualMs);
      assert.deepEqual([play.told, play.faults], [[], { [kind]: 2 }]);
      await play.pass(5 * usualMs);
      assert.equal(play.told.length, 1);
      assert.match(play.told[0] ?? '', what);
      assert.deepEqual(play.faults, { [kind]: 7 }, 'all of it is counted');
      const { state } = play.replica;
      assert.equal(state.reportSource, null);
      await play.pass(2 * usualMs, waiting(1));
      assert.deepEqual(play.told.slice(1), [null]);
      assert.equal(state.report?.queued, 1);
      await play.pass(3 * usualMs, script);
      assert.equal(play.told.length, 3, 'another time is told again');
    });
  }

  it('says nothing of what happens once in a while', async () => {
    const play = await started();
    for (let n = 0; n < 5; n++) {
      await play.pass(2 * usualMs, { refusesAfterMs: 1 });
      await play.pass(usualMs, waiting(1));
    }
    assert.deepEqual([play.told, play.faults], [[], { page_unreachable: 10 }]);
  });

  it('keeps the last report where a page says nothing that can be', async () => {
    const play = await started();
    await play.pass(usualMs, waiting('NaN'));
    assert.deepEqual([play.replica.state.report?.queued, play.faults], [3, { bad_value: 1 }]);
    assert.deepEqual(play.told, []);
  });

  it('stopped asks no more, gives up the page under way, and leaves no timer', async () => {
    const play = await started({ ...waiting(3), headAfterMs: 150 });
    play.scraper.stop();
    await play.clock.runAll();
    const [seen] = play.simulated.seen;
    assert.deepEqual([seen?.abortedAtMs, play.simulated.seen.length, play.replica.state.report], [100, 1, null]);
    assert.deepEqual([play.faults, play.told, play.wheel.armedCount], [{}, [], 0]);
    const idle = await started();
    idle.scraper.close();
    assert.equal(idle.clock.pending, 0);
  });

  it('started twice asks no more often, and started again goes on', async () => {
    const play = await started();
    play.scraper.start();
    await play.pass(usualMs);
    assert.deepEqual(play.askedAtMs, [0, 200]);
    play.scraper.stop();
    await play.pass(1000);
    play.scraper.start();
    await play.pass(usualMs);
    assert.deepEqual(play.askedAtMs, [0, 200, 1300, 1500]);
  });
});

function pieces(count: number): NonNullable<Script['pieces']> {
  return Array.from({ length: count }, () => ({ afterMs: 1, bytes: Buffer.alloc(1 << 20, 'x') }));
}
