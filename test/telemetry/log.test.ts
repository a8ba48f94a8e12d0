import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { Topic } from '../../gateway/kernel/topic.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { type LogOutput, logExchanges, openLog } from '../../gateway/telemetry/log.ts';
import { readExchange } from '../support/exchanges.ts';

/** A log into a file, and the lines that stand there when it has been flushed. */
function newLog(
  context: TestContext,
  level: string,
): { output: LogOutput; lines: () => Promise<Record<string, unknown>[]> } {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-log-'));
  const file = join(folder, 'log');
  const destination = openSync(file, 'a');
  context.after(() => {
    closeSync(destination);
    rmSync(folder, { recursive: true, force: true });
  });
  const output = openLog({ level, destination, name: 'gateway' });
  return {
    output,
    async lines() {
      await output.flush();
      return readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    },
  };
}

it('the log writes each line as JSON with level, time and name, whichever way it was made', async (context) => {
  const { output, lines } = newLog(context, 'info');
  output.log.warn({ replica: 'pool/a', reason: 'gone "away"' }, 'replica');
  output.line('info', '"id":"r1"', 'exchange');
  const [first, second] = await lines();
  assert.equal(first?.msg, 'replica');
  assert.equal(first?.reason, 'gone "away"');
  assert.equal(second?.id, 'r1');
  for (const line of [first, second]) {
    assert.equal(line?.name, 'gateway');
    assert.ok(Number(line?.time) > 1_700_000_000_000);
  }
  assert.deepEqual([first?.level, second?.level], [40, 30]);
});

it('a level leaves out what is below it, and silence everything', async (context) => {
  const warnings = newLog(context, 'warn');
  const silent = newLog(context, 'silent');
  for (const { output } of [warnings, silent]) {
    output.log.info('no');
    output.line('info', '"n":1', 'no');
    output.line('warn', '"n":2', 'yes');
  }
  assert.deepEqual(
    (await warnings.lines()).map(({ msg }) => msg),
    ['yes'],
  );
  assert.deepEqual(await silent.lines(), []);
});

it('an exchange is one line, a warning where the fault was not the client’s', () => {
  const settled = new Topic<Exchange>();
  const written: string[] = [];
  logExchanges(
    { line: (level, fields, message) => written.push(`${level} ${message} ${fields.includes('"id":"r1"')}`) },
    settled,
  );
  for (const status of [200, 404, 499, 500, 503]) {
    const exchange = readExchange();
    exchange.journal.status = status;
    settled.publish(exchange);
  }
  assert.deepEqual(
    written.map((line) => line.split(' ')[0]),
    ['info', 'info', 'info', 'warn', 'warn'],
  );
  assert.ok(written.every((line) => line.endsWith('exchange true')));
});
