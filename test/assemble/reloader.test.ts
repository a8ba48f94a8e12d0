import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import pino from 'pino';
import { Reloader } from '../../gateway/assemble-reloader.ts';
import { least, load, withTop } from '../settings/yaml.ts';

/** A reloader of texts, whose reloads take as long as the test likes. */
class Play {
  text = least;
  readonly applied: string[] = [];
  readonly lines: Record<string, unknown>[] = [];
  needsRestart: string[] = [];
  finish: (() => void)[] = [];
  readonly reloader = new Reloader({
    load: () => load(this.text),
    apply: async ({ telemetry }) => {
      this.applied.push(telemetry.logLevel);
      await new Promise<void>((resolve) => this.finish.push(resolve));
      return this.needsRestart;
    },
    log: pino({ base: null }, { write: (line) => this.lines.push(JSON.parse(line)) }),
  });

  /** Lets the reload that runs end. */
  async end(): Promise<void> {
    await null;
    this.finish.shift()?.();
    for (let turn = 0; turn < 10; turn++) await null;
  }
}

describe('reloads', () => {
  it('follow one another, and those asked for while one runs are one more, which reads the file when it begins', async () => {
    const play = new Play();
    const first = play.reloader.reload();
    await null;
    play.text = withTop('telemetry: { log: warn }');
    const [second, third] = [play.reloader.reload(), play.reloader.reload()];
    assert.equal(second, third);
    assert.deepEqual(play.applied, ['info'], 'the second has not begun');
    play.text = withTop('telemetry: { log: error }');
    await play.end();
    assert.deepEqual(await first, { kind: 'reloaded', needsRestart: [] });
    assert.deepEqual(play.applied, ['info', 'error']);
    await play.end();
    await second;
    assert.deepEqual(play.reloader.counts, { success: 2, failure: 0 });
  });

  it('of a file with faults change nothing, and tell every fault with its place', async () => {
    const play = new Play();
    play.text = `${least}rotues: []\ntelemetry: { log: loud }\n`;
    const result = await play.reloader.reload();
    assert.ok(result.kind === 'refused');
    assert.deepEqual(
      result.faults.map((fault) => fault.split(': ').slice(0, 2).join(': ')),
      ['gateway.yaml:7:1: rotues', 'gateway.yaml:8:19: telemetry.log'],
    );
    assert.deepEqual(play.applied, []);
    assert.deepEqual([play.lines[0]?.level, play.lines[0]?.faults], [40, result.faults]);
    assert.deepEqual([play.reloader.counts, play.reloader.isLastSuccessful], [{ success: 0, failure: 1 }, false]);
    play.text = least;
    const again = play.reloader.reload();
    await play.end();
    await again;
    assert.equal(play.reloader.isLastSuccessful, true);
  });

  it('that cannot be applied are refused in the words of what was thrown', async () => {
    const { reloader } = new Play();
    const failing = new Reloader({
      load: () => load(least),
      apply: () => Promise.reject(new RangeError('the load board is full')),
      log: pino({ level: 'silent' }),
    });
    assert.deepEqual(await failing.reload(), { kind: 'refused', faults: ['the load board is full'] });
    assert.equal(reloader.isLastSuccessful, true, 'before any, the last one is good');
  });

  it('name what needs a restart', async () => {
    const play = new Play();
    play.needsRestart = ['listen.port'];
    const result = play.reloader.reload();
    await play.end();
    assert.deepEqual(await result, { kind: 'reloaded', needsRestart: ['listen.port'] });
    assert.deepEqual([play.lines[0]?.level, play.lines[0]?.needsRestart], [40, ['listen.port']]);
  });
});
