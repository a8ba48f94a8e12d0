import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dispatcher } from 'undici';
import { Cancellation } from '../../gateway/kernel/cancellation.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import type { BodyEnd, Sink } from '../../gateway/pipeline/reply.ts';
import type { UpstreamReply } from '../../gateway/upstream/transport.ts';
import { UpstreamCall } from '../../gateway/upstream/upstream-call.ts';

/** undici's side of a call, which notes what it is told. */
class Controller implements Dispatcher.DispatchController {
  readonly told: string[] = [];
  aborted = false;
  paused = false;
  reason: Error | null = null;

  abort(): void {
    this.told.push('abort');
  }

  pause(): void {
    this.paused = true;
    this.told.push('pause');
  }

  resume(): void {
    this.paused = false;
    this.told.push('resume');
  }
}

/** A client that takes what it is given and wants a pause after everything. */
class FullSink implements Sink {
  readonly waiting: (() => void)[] = [];
  readonly ends: BodyEnd[] = [];
  bytes = 0;

  chunk(bytes: Uint8Array): boolean {
    this.bytes += bytes.length;
    return false;
  }

  onDrain(call: () => void): void {
    this.waiting.push(call);
  }

  end(how: BodyEnd): void {
    this.ends.push(how);
  }
}

function newCall(uploadBytes = 0) {
  const clock = new VirtualClock();
  const wheel = new TimerWheel(clock);
  const cancellation = new Cancellation();
  const controller = new Controller();
  const replies: UpstreamReply[] = [];
  const failures: GatewayError[] = [];
  const call = new UpstreamCall({
    replicaName: 'pool/a',
    timeouts: { connectMs: 500, firstByteMs: 1000, idleMs: 1000, totalMs: 60_000 },
    sentAtMs: clock.nowMs(),
    cancellation,
    clock,
    wheel,
    onHead: (reply) => replies.push(reply),
    onFailure: (error) => failures.push(error),
    uploadBytes,
  });
  return { clock, wheel, cancellation, controller, replies, failures, call };
}

const kib64 = Buffer.alloc(64 * 1024);

test('a sink that is full is asked once when it will have drained, however much was held back for it', () => {
  const { call, controller } = newCall();
  const sink = new FullSink();
  call.onRequestStart(controller);
  call.onResponseStart(controller, 200, {});
  for (let n = 0; n < 30; n++) call.onResponseData(controller, kib64);
  call.pump(sink);
  call.onResponseData(controller, kib64);
  assert.equal(sink.bytes, 31 * kib64.length);
  assert.equal(sink.waiting.length, 1);
  assert.ok(controller.paused, 'what was held back does not end a pause that the sink has asked for');
  sink.waiting[0]?.();
  assert.ok(!controller.paused);
  call.onResponseData(controller, kib64);
  assert.equal(sink.waiting.length, 2);
  call.discard();
});

test('while the sink is full the silence of the replica is not held against it', async () => {
  const { call, controller, clock, wheel } = newCall();
  const sink = new FullSink();
  call.onRequestStart(controller);
  call.onResponseStart(controller, 200, {});
  call.pump(sink);
  call.onResponseData(controller, kib64);
  call.onResponseData(controller, kib64);
  await clock.runUntil(clock.nowMs() + 30_000);
  assert.deepEqual(sink.ends, []);
  sink.waiting[0]?.();
  await clock.runUntil(clock.nowMs() + 1_100);
  assert.deepEqual(sink.ends, ['broken']);
  assert.equal(wheel.armedCount, 0);
});

test('where the whole time passes while the sink is full, the client was too slow, and the replica is not blamed', async () => {
  const { call, controller, clock } = newCall();
  const sink = new FullSink();
  call.onRequestStart(controller);
  call.onResponseStart(controller, 200, {});
  call.pump(sink);
  call.onResponseData(controller, kib64);
  await clock.runUntil(clock.nowMs() + 61_000);
  assert.deepEqual(sink.ends, ['abandoned']);
});

test('a connection that breaks while a large body may still be on its way says that, and of a small one that it broke', () => {
  for (const [uploadBytes, code] of [
    [64 * 1024, 'upstream_broken'],
    [64 * 1024 + 1, 'upload_broken'],
  ] as const) {
    const { call, controller, failures } = newCall(uploadBytes);
    call.onRequestStart(controller);
    call.onResponseError(controller, new Error('write EPIPE'));
    assert.deepEqual(
      failures.map((one) => one.code),
      [code],
    );
  }
});

test('a call cancelled before its request starts is aborted when it does, and tells once', () => {
  const { call, cancellation, controller, failures, wheel } = newCall();
  cancellation.cancel(new GatewayError('client_left', 'left'));
  call.onRequestStart(controller);
  call.onResponseError(controller, new Error('aborted'));
  assert.deepEqual(controller.told, ['abort']);
  assert.deepEqual(
    failures.map(({ code }) => code),
    ['client_left'],
  );
  assert.equal(wheel.armedCount, 0);
});

test('a call that has ended well is aborted by nobody', () => {
  const { call, cancellation, controller, replies, wheel } = newCall();
  const sink = new FullSink();
  call.onRequestStart(controller);
  call.onResponseStart(controller, 200, { 'content-length': '0' });
  call.onResponseEnd();
  call.pump(sink);
  cancellation.cancel(new GatewayError('client_left', 'left'));
  call.discard();
  assert.deepEqual(controller.told, []);
  assert.deepEqual(sink.ends, ['complete']);
  assert.equal(replies.length, 1);
  assert.equal(wheel.armedCount, 0);
});

/** A client whose sink has a fault of ours. */
class FaultySink extends FullSink {
  readonly why: (GatewayError | undefined)[] = [];

  override chunk(): boolean {
    throw new TypeError('x is undefined');
  }

  override end(how: BodyEnd, why?: GatewayError): void {
    super.end(how);
    this.why.push(why);
  }
}

test('a fault thrown where a piece goes ends this answer, and reaches nobody else', () => {
  const { call, controller, failures, wheel } = newCall();
  const sink = new FaultySink();
  call.onRequestStart(controller);
  call.onResponseStart(controller, 200, {});
  call.pump(sink);
  call.onResponseData(controller, kib64);
  call.onResponseData(controller, kib64);
  call.onResponseError(controller, new Error('aborted'));
  assert.deepEqual(sink.ends, ['abandoned'], 'the replica is not to blame');
  assert.deepEqual(
    sink.why.map((why) => why?.code),
    ['internal'],
  );
  assert.deepEqual(controller.told, ['abort']);
  assert.deepEqual(failures, []);
  assert.equal(wheel.armedCount, 0);
});

test('a call that gets no connection in time has sent nothing', async () => {
  const { call, clock, failures, controller, wheel } = newCall();
  await clock.runUntil(499);
  assert.equal(failures.length, 0);
  await clock.runUntil(510);
  assert.deepEqual(
    failures.map(({ code, retry }) => [code, retry]),
    [['upstream_unreachable', 'always']],
  );
  assert.match(String(failures[0]?.cause), /no connection within 500 ms/);
  assert.equal(wheel.armedCount, 0);
  call.onRequestStart(controller);
  assert.deepEqual(controller.told, ['abort'], 'one that comes later sends nothing either');
});

test('a connection that came in time leaves the answer the time it has from the sending', async () => {
  const { call, clock, failures, controller } = newCall();
  await clock.runUntil(490);
  call.onRequestStart(controller);
  await clock.runUntil(990);
  assert.equal(failures.length, 0);
  await clock.runUntil(1010);
  assert.deepEqual(
    failures.map(({ code, retry }) => [code, retry]),
    [['upstream_timeout', 'if_idempotent']],
  );
});

test('a call that is refused before its request starts has sent nothing; one that breaks later may have run', () => {
  for (const [starts, code] of [
    [false, 'upstream_unreachable'],
    [true, 'upstream_broken'],
  ] as const) {
    const { call, failures, controller } = newCall();
    if (starts) call.onRequestStart(controller);
    call.onResponseError(controller, new Error('connect ECONNREFUSED'));
    assert.deepEqual(
      failures.map((failure) => failure.code),
      [code],
    );
  }
});
