import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { bytesBody, type Reply } from '../../gateway/pipeline/reply.ts';
import { Attempting } from '../support/attempting.ts';
import { pumped } from '../support/bodies.ts';
import { newGate } from '../support/gates.ts';
import { newReplicas } from '../support/replicas.ts';
import { upstreamReply } from '../support/scripted-transport.ts';

const events = { headers: ['content-type', 'text/event-stream'] };
const errorEvent = 'data: {"error":{"message":"out of memory"}}\n\n';

/** Two replicas, of which the first to be asked gives an answer that the test feeds, and the other a whole one. */
class Holding extends Attempting {
  readonly evidence: string[];
  readonly first: ReturnType<typeof upstreamReply>;
  readonly served: Promise<Reply>;

  constructor(first: ReturnType<typeof upstreamReply>) {
    const evidence: string[] = [];
    const gate = newGate({ enter: () => ({ settle: (said) => evidence.push(said) }) });
    let sent = 0;
    const second = { ...upstreamReply(), body: bytesBody(Buffer.from('of the other')) };
    super(newReplicas({ gate }, { gate }), () => (sent++ === 0 ? first : second), { holdsFirstChunk: true });
    this.evidence = evidence;
    this.first = first;
    this.served = this.serve(this.exchange());
    this.served.catch(() => {});
  }

  async text(): Promise<string> {
    await this.dispatching.pass(1000);
    return pumped((await this.served).body).text;
  }
}

describe('an answer whose first chunk is held', () => {
  it('is passed on when it has come, whole and in order', async () => {
    const holding = new Holding(upstreamReply());
    let isServed = false;
    holding.served.then(() => {
      isServed = true;
    });
    await holding.dispatching.pass(500);
    assert.equal(isServed, false);
    holding.first.body.feed('one ');
    await holding.dispatching.pass();
    assert.equal(isServed, true);
    const sink = pumped((await holding.served).body);
    holding.first.body.feed('two');
    holding.first.body.end('complete');
    assert.deepEqual([sink.text, sink.ended, holding.evidence], ['one two', 'complete', ['success']]);
    holding.assertAtRest();
  });

  it('is passed on without one when it is empty', async () => {
    const holding = new Holding(upstreamReply(204));
    await holding.dispatching.pass();
    holding.first.body.end('complete');
    assert.equal(await holding.text(), '');
    assert.deepEqual(holding.outcomes, ['first succeeded']);
  });

  it('is tried again elsewhere when it breaks off before, for whatever reason', async () => {
    for (const why of [undefined, new GatewayError('upstream_timeout', 'stopped')]) {
      const holding = new Holding(upstreamReply());
      await holding.dispatching.pass();
      holding.first.body.end('broken', why);
      assert.equal(await holding.text(), 'of the other');
      assert.deepEqual(holding.outcomes, ['first failed', 'retry succeeded']);
      assert.deepEqual(holding.evidence, [why === undefined ? 'failure' : 'timeout', 'success']);
      holding.assertAtRest();
    }
  });

  it('is tried again elsewhere when it begins with an error, and blames its replica, also where all of it came at once', async () => {
    const cut = { ...upstreamReply(), ...events };
    const whole = { ...cut, body: bytesBody(Buffer.from(errorEvent)) };
    for (const first of [cut, whole as unknown as typeof cut]) {
      const holding = new Holding(first);
      await holding.dispatching.pass();
      if (first === cut) cut.body.feed(errorEvent);
      assert.equal(await holding.text(), 'of the other');
      assert.deepEqual(holding.evidence, ['failure', 'success']);
      assert.deepEqual(holding.outcomes, ['first failed', 'retry succeeded']);
      holding.assertAtRest();
    }
  });

  it('is passed on when it breaks off after its first byte: the client has seen it', async () => {
    const holding = new Holding(upstreamReply());
    await holding.dispatching.pass();
    holding.first.body.feed('x');
    await holding.dispatching.pass();
    const sink = pumped((await holding.served).body);
    holding.first.body.end('broken');
    assert.deepEqual([sink.text, sink.ended, holding.sentTo.length], ['x', 'broken', 1]);
    holding.assertAtRest();
  });

  it('ends with why it was cancelled, and blames nobody', async () => {
    const left = new GatewayError('client_left', 'left');
    const first = upstreamReply();
    const attempting = new Attempting(
      newReplicas({}, {}),
      (_replica, cancellation) => {
        cancellation.onCancel((why) => first.body.end('abandoned', why));
        return first;
      },
      { holdsFirstChunk: true },
    );
    const exchange = attempting.exchange();
    const rejected = assert.rejects(attempting.serve(exchange), left);
    await attempting.dispatching.pass();
    exchange.cancellation.cancel(left);
    await rejected;
    assert.deepEqual(attempting.outcomes, ['first abandoned']);
    attempting.assertAtRest();
  });
});
