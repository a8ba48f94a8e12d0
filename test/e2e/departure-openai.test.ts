import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { repetitions } from '../support/counts.ts';
import { assertEndedBy, assertNothingHeld, nextArrival, repeat, withinMs } from '../support/departures.ts';
import { eventually, pause, startGateway } from '../support/gateway-process.ts';
import { type Arrival, lineOf, okAnswer, RawBackend } from '../support/raw-backend.ts';
import { chat, chunkOf, eventStreamHead, lastChunk, StreamClient } from '../support/streams.ts';

const free = await RawBackend.start({ after }, () => {});
const single = await RawBackend.start({ after }, () => {});
const gateway = await startGateway(
  { after },
  `
backends:
  - { name: free, protocol: openai, models: [free], replicas: [{ url: "${free.url}" }] }
  - { name: single, protocol: openai, models: [single], replicas: [{ url: "${single.url}", slots: 1 }] }
telemetry: { log: warn }
`,
);

const times = repetitions({ quick: 10, full: 200 });
const event = chunkOf('data: {"choices":[]}\n\n');
const done = chunkOf('data: [DONE]\n\n');

/** A request and the pieces of its answer. */
const kinds = {
  unary: {
    asks: {},
    head: 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 42\r\n\r\n',
    piece: Buffer.from('{"choices":[],"model":'),
    rest: Buffer.from('"free"}             '),
  },
  streamed: {
    asks: { stream: true },
    head: eventStreamHead,
    piece: event,
    rest: Buffer.concat([event, done, Buffer.from(lastChunk)]),
  },
} as const;

const hows = ['closed', 'reset'] as const;

for (const [kind, { asks, head, piece, rest }] of Object.entries(kinds)) {
  describe(`a client of a ${kind} completion that leaves`, () => {
    const phases = {
      'before the head': { sent: [], bytes: 0 },
      'behind the head, before the first byte': { sent: [head], bytes: 0 },
      'in the middle of the answer': { sent: [head, piece], bytes: 1 },
    };
    for (const [when, { sent, bytes: wanted }] of Object.entries(phases)) {
      for (const how of hows) {
        it(`${when} (${how}) ends its upstream request within ${withinMs} ms`, async () => {
          free.script = ({ socket }) => {
            for (const bytes of sent) socket.write(bytes);
          };
          await repeat(times, async () => {
            const client = new StreamClient(gateway.client).send(chat('free', asks));
            const arrival = await nextArrival(free);
            if (wanted > 0) await client.until('the first bytes', ({ bytes }) => bytes.length >= wanted);
            // The head is on its way; the gateway keeps it until the first byte comes.
            else if (sent.length > 0) await pause(3);
            await assertEndedBy(() => client.leave(how), arrival);
          });
          await assertNothingHeld(gateway);
        });
      }
    }

    for (const how of hows) {
      it(`while it waits in line (${how}) never reaches a replica`, async () => {
        single.script = () => {};
        single.arrivals.length = 0;
        // One slot is credit for two: the next is there already when the first is done.
        const holders = [1, 2].map(() => new StreamClient(gateway.client).send(chat('single', asks)));
        await eventually('both credits are taken', () => single.arrivals.length === 2);
        await repeat(times, async () => {
          const client = new StreamClient(gateway.client).send(chat('single', asks));
          await eventually('it waits', async () => (await gateway.metric('headgate_queue_depth')) === 1);
          client.leave(how);
          const isAlone = async (): Promise<boolean> => (await gateway.metric('headgate_queue_depth')) === 0;
          await eventually('it waits no more', isAlone, withinMs);
        });
        for (const { closedAtMs, socket } of single.arrivals) {
          assert.equal(closedAtMs, null, 'those who hold the replica are not disturbed');
          socket.write(Buffer.concat([Buffer.from(head), piece, rest]));
        }
        for (const holder of holders) {
          await holder.until('the answer', ({ isWhole }) => isWhole);
          holder.leave();
        }
        assert.equal(single.arrivals.length, 2, 'nobody who left was sent on');
        await assertNothingHeld(gateway);
      });

      it(`right after the last byte (${how}) is followed by no abort: the connection serves the next`, async () => {
        free.script = ({ socket }) => socket.write(okAnswer('{}'));
        await useAConnection();
        free.arrivals.length = 0;
        free.script = ({ socket }) => {
          socket.setNoDelay(true);
          for (const bytes of [head, piece]) socket.write(bytes);
          setTimeout(() => socket.write(rest), 1);
        };
        const connectionsBefore = free.connections;
        await repeat(times, async () => {
          const client = new StreamClient(gateway.client).send(chat('free', asks));
          await client.until('the end', ({ isWhole }) => isWhole);
          client.leave(how);
        });
        assert.ok(free.connections - connectionsBefore <= 1, `${free.connections - connectionsBefore} connections`);
        assert.deepEqual(
          free.arrivals.filter((one) => one.closedAtMs !== null),
          [],
        );
        await assertNothingHeld(gateway);
      });
    }

    it('at any moment leaves nothing behind', async () => {
      const count = repetitions({ quick: 100, full: 1000 });
      const rng = seededRng(20261125);
      const between = (least: number, most: number): number => least + rng.next() * (most - least);
      free.arrivals.length = 0;
      const answeredAtMs = new Map<Arrival, number>();
      // One after the other: timers of different lengths, set together, may fire out of order on a busy machine.
      free.script = async (arrival) => {
        const { socket } = arrival;
        for (const bytes of [head, piece]) {
          await pause(between(0, 6));
          socket.write(bytes);
        }
        await pause(between(0, 8));
        if (arrival.closedAtMs !== null) return;
        socket.write(rest);
        answeredAtMs.set(arrival, performance.now());
      };
      const leftAtMs = new Map<string, number>();
      const leaveOnce = async (at: number): Promise<void> => {
        const id = `moment-${at}`;
        const client = new StreamClient(gateway.client).send(chat('free', asks, [`x-request-id: ${id}`]));
        await pause(between(0, 25));
        client.leave(rng.next() < 0.5 ? 'closed' : 'reset');
        leftAtMs.set(id, performance.now());
      };
      await repeat(count / 10, async (at) => {
        await Promise.all(Array.from({ length: 10 }, (_, n) => leaveOnce(10 * at + n)));
      });
      await assertNothingHeld(gateway);
      await pause(withinMs);
      assert.ok(answeredAtMs.size > 0 && answeredAtMs.size < free.arrivals.length, 'some were answered and some not');
      for (const arrival of free.arrivals) {
        const id = lineOf(arrival.headers, 'x-request-id') ?? '';
        const endedAtMs = answeredAtMs.get(arrival) ?? arrival.closedAtMs ?? Number.POSITIVE_INFINITY;
        const tookMs = endedAtMs - (leftAtMs.get(id) ?? Number.NaN);
        assert.ok(tookMs <= withinMs, `${id} ended after ${tookMs} ms`);
      }
    });
  });
}

it('clients that left are abandoned tries, and no failures', async () => {
  assert.equal(await gateway.metric('headgate_tries_total', { outcome: 'failed' }), 0);
  assert.ok((await gateway.metric('headgate_tries_total', { outcome: 'abandoned' })) >= 12 * times);
  assert.ok((await gateway.metric('headgate_refusals_total', { code: 'client_left' })) >= 16 * times);
});

/** Sees to it that a connection to the backend stands and is idle. */
async function useAConnection(): Promise<void> {
  const client = new StreamClient(gateway.client).send(chat('free', {}));
  await client.until('an answer', ({ isWhole }) => isWhole);
  client.leave();
}
