import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { writeReply } from '../../gateway/http/write-reply.ts';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import { RawClient } from '../support/raw-client.ts';
import { Simulation } from '../support/simulation.ts';

const endless = { firstByteMs: 30_000, idleMs: Number.POSITIVE_INFINITY, totalMs: Number.POSITIVE_INFINITY };

test('a client that takes nothing of an endless stream gives its slot back, and its replica is not blamed', async (context) => {
  const piece = { afterMs: 0, bytes: Buffer.from(`data: ${'x'.repeat(1_000_000)}\n\n`) };
  const script = () => ({
    headers: { 'content-type': 'text/event-stream' },
    pieces: Array.from({ length: 40 }, () => piece),
    ends: 'hangs' as const,
  });
  const pool = { name: 'm', protocol: 'openai', replicas: [{ id: 'a', slots: 1, script }], timeouts: endless } as const;
  const simulation = new Simulation({ seed: 1, backends: [pool] });
  const { clock } = simulation;
  const server = createServer(async (incoming, outgoing) => {
    const exchange = simulation.open({ isStreaming: true });
    const reply = await simulation.running.serve(exchange);
    writeReply(
      reply,
      { incoming, outgoing },
      {
        time: simulation,
        timing: () => 'total;dur=1',
        insteadOfNothing: () => jsonReply(502, {}, 'refused'),
        lastEvent: () => null,
        giveUp: (why) => exchange.cancellation.cancel(why),
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new RawClient({ host: '127.0.0.1', port });
  context.after(() => {
    client.leave();
    server.closeAllConnections();
    server.close();
  });
  client.socket.pause();
  client.send('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const { slot } = simulation.backends[0]?.replicas[0] ?? assert.fail();
  while (slot.inFlight === 0) await clock.runUntil(clock.nowMs() + 1);
  await clock.runUntil(clock.nowMs() + 55_000);
  assert.equal(slot.inFlight, 1);
  await clock.runUntil(clock.nowMs() + 10_000);
  assert.deepEqual(simulation.leftovers(), []);
  assert.deepEqual(
    simulation.tried.map(({ outcome }) => outcome),
    ['abandoned'],
  );
  const [settled] = simulation.settled;
  assert.deepEqual(
    [settled?.journal.code, settled?.journal.detail],
    ['client_left', 'the client took nothing for 60 s'],
  );
});
