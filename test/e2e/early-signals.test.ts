import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { eventually, HeadgateProcess } from '../support/gateway-process.ts';

const hangUp = 1n << 0n;

/** Which signals a process catches, as Linux tells: one bit each. */
function caughtBy({ pid }: HeadgateProcess): bigint {
  const mask = /^SigCgt:\t(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return BigInt(`0x${mask}`);
}

/** A gateway that has just begun to catch signals, and has yet to load most of itself. */
async function starting(context: TestContext): Promise<HeadgateProcess> {
  const gateway = new HeadgateProcess(context, ['serve', '--config', 'test/support/free-ports.yaml']);
  await eventually('it catches signals', () => (caughtBy(gateway) & hangUp) !== 0n);
  return gateway;
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`a gateway that is told to end by ${signal} while it starts exits 0`, async (context) => {
    const gateway = await starting(context);
    gateway.child.kill(signal);
    assert.equal(await gateway.exited, 0);
  });
}

test('a gateway that is told to reload while it starts goes on starting', async (context) => {
  const gateway = await starting(context);
  gateway.child.kill('SIGHUP');
  await gateway.prints(/listens for clients/);
  assert.equal(await gateway.stop(), 0);
});
