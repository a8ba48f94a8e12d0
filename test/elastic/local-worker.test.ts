import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { LocalWorker } from '../../gateway/elastic/actuators/local-worker.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';

// Stands in for the bundled worker: it says that it listens, and goes when asked to.
const listens = `process.on('SIGTERM', () => process.exit(0)); process.on('disconnect', () => process.exit(0)); process.send('ready');`;
const deaf = `process.on('SIGTERM', () => {}); process.on('disconnect', () => process.exit(0)); process.send('ready');`;
const dies = 'process.exit(3);';

/** A supervised process on a virtual clock: only what the process does takes real time. */
class Supervising {
  readonly clock = new VirtualClock();
  readonly told: string[] = [];
  readonly worker: LocalWorker;
  readonly socketPath: string;
  readonly #waiting = new Map<string, () => void>();

  constructor(context: TestContext, command: readonly [string, ...string[]]) {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-worker-'));
    this.socketPath = join(folder, 'w.sock');
    const { clock, socketPath } = this;
    const watcher = {
      starting: () => this.#tell('starting'),
      ready: () => this.#tell('ready'),
      exited: (reason: string, restartInMs: number) => this.#tell(`${reason}, again in ${restartInMs} ms`),
    };
    this.worker = new LocalWorker({ command, socketPath, clock, watcher });
    context.after(async () => {
      const { pid } = this.worker;
      if (pid !== null) process.kill(pid, 'SIGKILL');
      await this.worker.stop();
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /** Resolves when the watcher has been told of so many things. */
  async toldOf(count: number): Promise<string[]> {
    while (this.told.length < count) await new Promise<void>((resolve) => this.#waiting.set('next', resolve));
    return this.told;
  }

  #tell(what: string): void {
    this.told.push(what);
    this.#waiting.get('next')?.();
  }
}

const script = (text: string): readonly [string, ...string[]] => [process.execPath, '-e', text];

describe('a local worker', () => {
  it('is started, told ready when it says so, and goes when asked', async (context) => {
    const supervising = new Supervising(context, script(listens));
    supervising.worker.start();
    assert.deepEqual(await supervising.toldOf(2), ['starting', 'ready']);
    assert.notEqual(supervising.worker.pid, null);
    await supervising.worker.stop();
    assert.equal(supervising.worker.pid, null);
    await supervising.clock.runAll();
    assert.deepEqual(
      supervising.told,
      ['starting', 'ready'],
      'what was asked for is no news, and nothing is started again',
    );
  });

  it('that dies at once is started again, each time after twice as long', async (context) => {
    const supervising = new Supervising(context, script(dies));
    supervising.worker.start();
    for (const [at, restartInMs] of [100, 200, 400].entries()) {
      const told = await supervising.toldOf(2 * at + 2);
      assert.equal(told.at(-1), `exited with code 3, again in ${restartInMs} ms`);
      await supervising.clock.runUntil(supervising.clock.nowMs() + restartInMs - 1);
      assert.equal(supervising.told.length, 2 * at + 2);
      await supervising.clock.runUntil(supervising.clock.nowMs() + 1);
    }
    await supervising.toldOf(8);
  });

  it('that was ready for a second is started again soon, and tells by what it ended', async (context) => {
    const supervising = new Supervising(context, script(listens));
    supervising.worker.start();
    await supervising.toldOf(2);
    await supervising.clock.runUntil(1000);
    process.kill(supervising.worker.pid ?? assert.fail(), 'SIGKILL');
    assert.equal((await supervising.toldOf(3)).at(-1), 'was ended by SIGKILL, again in 50 ms');
    await supervising.clock.runUntil(1050);
    assert.deepEqual((await supervising.toldOf(5)).slice(3), ['starting', 'ready']);
  });

  it('does not find the socket that a killed one has left', async (context) => {
    const supervising = new Supervising(context, script(listens));
    writeFileSync(supervising.socketPath, '');
    supervising.worker.start();
    assert.equal(existsSync(supervising.socketPath), false);
    await supervising.toldOf(2);
  });

  it('that does not go when asked is killed after five seconds', async (context) => {
    const supervising = new Supervising(context, script(deaf));
    supervising.worker.start();
    await supervising.toldOf(2);
    const stopped = supervising.worker.stop();
    await supervising.clock.runUntil(4999);
    assert.notEqual(supervising.worker.pid, null);
    await supervising.clock.runUntil(5000);
    await stopped;
    assert.equal(supervising.worker.pid, null);
  });

  it('whose program is not there says so, and is tried again', async (context) => {
    const supervising = new Supervising(context, ['/nowhere/headgate-worker']);
    supervising.worker.start();
    const told = await supervising.toldOf(2);
    assert.equal(told[1], 'could not be started: spawn /nowhere/headgate-worker ENOENT, again in 100 ms');
    await supervising.worker.stop();
    assert.equal(supervising.clock.pending, 0);
  });

  it('can be stopped before it is known that its program is not there', async (context) => {
    const supervising = new Supervising(context, ['/nowhere/headgate-worker']);
    supervising.worker.start();
    await supervising.worker.stop();
    assert.equal(supervising.clock.pending, 0, 'nothing is started again, or waits to be killed');
  });

  it('stopped while it waits to be started again is not started', async (context) => {
    const supervising = new Supervising(context, script(dies));
    supervising.worker.start();
    await supervising.toldOf(2);
    await supervising.worker.stop();
    await supervising.clock.runAll();
    assert.equal(supervising.told.length, 2);
  });
});
