import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { BufferRoom } from '../../gateway/pipeline/buffer-room.ts';
import type { Incoming } from '../../gateway/pipeline/exchange.ts';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import type { Serve } from '../../gateway/pipeline/stage.ts';
import { read } from '../../gateway/stages/read.ts';
import { newExchange } from '../support/exchanges.ts';

const answer = jsonReply(200, {}, 'upstream');
const infer = '{"inputs":[{"shape":[5]}]}';

/** The stage in front of something that answers when the test says so. */
class Reading {
  readonly clock = new VirtualClock();
  readonly #answers: (() => void)[] = [];
  /** The bodies that were passed on. */
  readonly payloads: Uint8Array[] = [];
  readonly serve: Serve;

  constructor(maxBodyBytes = 1000, maxBufferedBytes = 3000) {
    const wait: Serve = ({ ask }) => {
      this.payloads.push(ask.payload);
      return new Promise((resolve) => this.#answers.push(() => resolve(answer)));
    };
    this.serve = read({ maxBodyBytes, room: new BufferRoom(maxBufferedBytes) }, this.clock).wrap(wait);
  }

  /** All that has been asked so far is answered. */
  answer(): void {
    for (const one of this.#answers.splice(0)) one();
  }
}

describe('reading a body', () => {
  it('notes what is asked for, the bytes and the time', async () => {
    const reading = new Reading();
    await reading.clock.runUntil(30);
    const exchange = newExchange({ body: infer });
    const reply = reading.serve(exchange);
    await reading.clock.runUntil(31);
    reading.answer();
    assert.equal(await reply, answer);
    assert.equal(exchange.ask.model, 'digits');
    assert.equal(exchange.work.rows, 5);
    assert.deepEqual(reading.payloads.map(String), [infer]);
    assert.equal(exchange.ask.payload.length, 0, 'nobody sends it again: it is let go of');
    assert.deepEqual([exchange.journal.bytesIn, exchange.journal.readAtMs], [infer.length, 30]);
  });

  it('has one bound for each, which the body itself keeps', async () => {
    const bounds: number[] = [];
    const incoming: Incoming = {
      read: async (maxBytes) => {
        bounds.push(maxBytes);
        throw new GatewayError('body_too_large', 'too large');
      },
    };
    await assert.rejects(new Reading().serve(newExchange({ incoming })), { code: 'body_too_large' });
    assert.deepEqual(bounds, [1000]);
  });

  it('has one bound for all together, held until the head of the reply', async () => {
    const reading = new Reading();
    const held = [1, 2, 3].map(() => reading.serve(newExchange({ body: ' '.repeat(1000) })));
    await reading.clock.runUntil(1);
    const refused = reading.serve(newExchange({ body: ' ' }));
    await assert.rejects(refused, { code: 'buffers_full', status: 503, retryAfterMs: 1000 });
    reading.answer();
    await Promise.all(held);
    const again = [1, 2, 3].map(() => reading.serve(newExchange({ body: ' '.repeat(1000) })));
    await reading.clock.runUntil(2);
    reading.answer();
    await Promise.all(again);
  });

  it('gives the room back when the body, or what comes after it, fails', async () => {
    const failing: readonly { spec: Parameters<typeof newExchange>[0]; code: string }[] = [
      { spec: { body: 'x'.repeat(900), headers: { 'content-encoding': 'gzip' } }, code: 'invalid_request' },
      { spec: { body: 'x'.repeat(900), headers: { 'content-encoding': 'zstd' } }, code: 'encoding_unsupported' },
      {
        spec: {
          incoming: {
            async read(_maxBytes, reserve) {
              reserve(900);
              throw new GatewayError('client_left', 'left');
            },
          },
        },
        code: 'client_left',
      },
    ];
    const { serve } = new Reading();
    for (const { spec, code } of failing)
      for (let n = 0; n < 5; n++) await assert.rejects(serve(newExchange(spec)), { code });
    const late: Serve = () => Promise.reject(new GatewayError('none_eligible', 'none'));
    const failingLater = read({ maxBodyBytes: 1000, room: new BufferRoom(1000) }, new VirtualClock()).wrap(late);
    for (let n = 0; n < 5; n++)
      await assert.rejects(failingLater(newExchange({ body: ' '.repeat(900) })), { code: 'none_eligible' });
  });

  it('reads what is encoded, and keeps it as it came', async () => {
    const reading = new Reading();
    const body = gzipSync(infer);
    const exchange = newExchange({ body, headers: { 'content-encoding': 'gzip' } });
    const reply = reading.serve(exchange);
    while (exchange.journal.readAtMs === 0 && !hasAsk(exchange)) await new Promise((resolve) => setImmediate(resolve));
    reading.answer();
    await reply;
    assert.equal(exchange.work.rows, 5);
    assert.deepEqual(reading.payloads, [body]);
  });

  it('refuses what would grow beyond the bounds when decoded, for each and for all together', async () => {
    const headers = { 'content-encoding': 'gzip' };
    const bomb = gzipSync(' '.repeat(50_000));
    await assert.rejects(new Reading(1000).serve(newExchange({ body: bomb, headers })), { code: 'body_too_large' });
    const both = new Reading(100_000, 40_000);
    await assert.rejects(both.serve(newExchange({ body: bomb, headers })), { code: 'buffers_full' });
  });

  it('takes none in where the operation has none', async () => {
    const clock = new VirtualClock();
    await clock.runUntil(7);
    const incoming: Incoming = { read: () => assert.fail('read') };
    const exchange = newExchange({ operation: 'metadata', incoming });
    const serve = read({ maxBodyBytes: 1, room: new BufferRoom(1) }, clock).wrap(async () => answer);
    assert.equal(await serve(exchange), answer);
    assert.equal(exchange.ask.payload.length, 0);
    assert.equal(exchange.journal.readAtMs, 7);
  });
});

function hasAsk(exchange: ReturnType<typeof newExchange>): boolean {
  try {
    return exchange.ask !== null;
  } catch {
    return false;
  }
}
