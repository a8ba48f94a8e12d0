import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { after, test } from 'node:test';
import { isFull } from '../support/counts.ts';
import { assertNothingHeld, withinMs } from '../support/departures.ts';
import { eventually, pause, startGateway } from '../support/gateway-process.ts';
import { type Arrival, okAnswer, RawBackend } from '../support/raw-backend.ts';
import { RawClient, request } from '../support/raw-client.ts';
import { chat, chunkOf, eventStreamHead, lastChunk } from '../support/streams.ts';

const mebibyte = 1024 * 1024;
const streamBytes = (isFull ? 1024 : 200) * mebibyte;
const warmUpRequests = 2000;
const warmUpBytes = 100 * mebibyte;
const slowForMs = isFull ? 30_000 : 4_000;

/** The bound that the specification sets. */
const maxGrowthBytes = 10 * mebibyte;
/** Nearly all of it in the four buffers of the kernel between the two, which it sizes as it sees fit. */
const maxAcceptedBytes = 32 * mebibyte;
/** As much as `listen.max_body` lets in, all but. */
const uploadBytes = (isFull ? 16 : 8) * mebibyte - 100;

const backend = await RawBackend.start({ after }, () => {});
const gateway = await startGateway(
  { after },
  `
backends: [{ name: pool, protocol: openai, models: [m], replicas: [{ id: a, url: "${backend.url}" }] }]
telemetry: { log: warn }
`,
);

const event = `data: ${'x'.repeat(64 * 1024 - 8)}\n\n`;
const chunk = chunkOf(event);

/** The stream that was begun last. */
let current: { readonly arrival: Arrival; readonly acceptedBytes: () => number } | null = null;

/** Writes a stream as fast as its socket takes it. */
function stream(arrival: Arrival, sizeBytes = streamBytes): void {
  const { socket } = arrival;
  // The connection may have served another stream before.
  const bytesBefore = socket.bytesWritten;
  current = { arrival, acceptedBytes: () => socket.bytesWritten - socket.writableLength - bytesBefore };
  socket.write(eventStreamHead);
  let leftBytes = sizeBytes;
  const goOn = (): void => {
    while (leftBytes > 0) {
      leftBytes -= event.length;
      if (!socket.write(chunk)) return;
    }
    socket.off('drain', goOn);
    if (sizeBytes === streamBytes) socket.write(lastChunk);
    // The kernel has grown the buffers of the connection that warms up: the next stream begins on a new one.
    else socket.end(lastChunk);
  };
  socket.on('drain', goOn);
  goOn();
}

async function begun(): Promise<NonNullable<typeof current>> {
  await eventually('the stream has begun', () => current !== null);
  return current ?? assert.fail();
}

function residentBytes(): number {
  const status = readFileSync(`/proc/${gateway.process.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** A client's connection; `bufferBytes` is the most that its process reads ahead. */
function newSocket(bufferBytes = 64 * 1024): Socket {
  const { hostname: host, port } = new URL(gateway.client);
  const options: TcpSocketConnectOpts & { highWaterMark: number } = {
    host,
    port: Number(port),
    highWaterMark: bufferBytes,
  };
  return connect(options);
}

/** Asks for a stream, reads it as fast as it comes, and tells how many bytes it was. */
async function readAll(socket = newSocket()): Promise<number> {
  let end = '';
  let sizeBytes = 0;
  const isPaused = socket.isPaused();
  socket.on('data', (bytes: Buffer) => {
    sizeBytes += bytes.length;
    end = (end + bytes.toString('latin1', Math.max(0, bytes.length - 5))).slice(-5);
  });
  if (isPaused) socket.pause();
  socket.write(chat('m'));
  await eventually('the whole stream has come', () => end === lastChunk, 120_000);
  socket.destroy();
  return sizeBytes;
}

/** Brings the process to the size that requests and streams give it: what grows later grows for another reason. */
async function warmUp(): Promise<void> {
  backend.script = ({ socket }) => socket.write(okAnswer('{}'));
  const client = new RawClient(gateway.client);
  for (let at = 0; at < warmUpRequests; at++) await client.send(chat('m', {})).answer();
  client.leave();
  backend.script = (arrival) => stream(arrival, warmUpBytes);
  await readAll();
}

test('a stream to a client that reads slowly costs no memory, and stops the backend', async (context) => {
  await warmUp();
  const warmBytes = residentBytes();

  current = null;
  backend.script = (arrival) => stream(arrival);
  const client = newSocket(1024);
  context.after(() => client.destroy());
  client.on('readable', () => {});
  client.write(chat('m'));
  const { arrival, acceptedBytes } = await begun();
  let read = 0;
  let mostBytes = 0;
  let acceptedEarly = 0;
  const startedAtMs = performance.now();
  // 10 KB/s.
  while (performance.now() - startedAtMs < slowForMs) {
    read += client.read(1024)?.length ?? 0;
    mostBytes = Math.max(mostBytes, residentBytes());
    await pause(100);
    if (acceptedEarly === 0 && performance.now() - startedAtMs > slowForMs / 2) acceptedEarly = acceptedBytes();
  }
  const accepted = acceptedBytes();
  context.diagnostic(
    `grew by ${((mostBytes - warmBytes) / mebibyte).toFixed(1)} MiB over ${(warmBytes / mebibyte).toFixed(0)} MiB; ` +
      `the backend's socket took ${(accepted / mebibyte).toFixed(1)} MiB; the client read ${read} bytes`,
  );
  assert.ok(read >= (slowForMs / 1000) * 5000, `the client read ${read} bytes only`);
  assert.ok(mostBytes - warmBytes < maxGrowthBytes, `resident memory grew by ${mostBytes - warmBytes} bytes`);
  assert.ok(accepted < maxAcceptedBytes, `the backend's socket took ${accepted} bytes`);
  assert.ok(accepted - acceptedEarly < mebibyte, `and has taken ${accepted - acceptedEarly} bytes of them lately`);
  assert.equal(arrival.closedAtMs, null, 'the stream stands');

  client.destroy();
  const leftAtMs = performance.now();
  await eventually('the backend sees the end', () => arrival.closedAtMs !== null);
  const tookMs = (arrival.closedAtMs ?? 0) - leftAtMs;
  context.diagnostic(`the backend saw the end ${tookMs.toFixed(0)} ms after the client had left`);
  assert.ok(tookMs <= withinMs, `the backend saw the end after ${tookMs} ms`);
  await assertNothingHeld(gateway);
});

test('a stream that nobody reads for a time waits, and then comes whole', async () => {
  current = null;
  backend.script = (arrival) => stream(arrival);
  const socket = newSocket().pause();
  const whole = readAll(socket);
  const { acceptedBytes } = await begun();
  let before = -1;
  await eventually('the backend is stopped', async () => {
    const isStill = acceptedBytes() === before;
    before = acceptedBytes();
    await pause(200);
    return isStill && before > 0;
  });
  assert.ok(before < maxAcceptedBytes, `the backend's socket took ${before} bytes`);
  socket.resume();
  assert.ok((await whole) > streamBytes);
  await assertNothingHeld(gateway);
});

test('an upload from a slow client costs its own size, holds no replica, and comes as it was sent', async (context) => {
  const body = Buffer.from(JSON.stringify({ model: 'm', input: 'y'.repeat(uploadBytes) }));
  const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  let received = '';
  backend.script = (arrival) => {
    received = hashOf(arrival.body);
    arrival.socket.write(okAnswer('{}'));
  };
  const warmBytes = residentBytes();
  let mostBytes = 0;
  const client = new RawClient(gateway.client);
  client.send(request({ line: 'POST /v1/embeddings', headers: [`content-length: ${body.length}`] }));
  for (let at = 0; at < body.length; at += mebibyte) {
    client.send(body.subarray(at, at + mebibyte));
    mostBytes = Math.max(mostBytes, residentBytes());
    await pause(50);
  }
  assert.equal((await client.answer()).status, 200);
  mostBytes = Math.max(mostBytes, residentBytes());
  client.leave();
  assert.equal(received, hashOf(body));
  context.diagnostic(`grew by ${((mostBytes - warmBytes) / mebibyte).toFixed(1)} MiB`);
  // Once in the pieces it came in and once in one, and what of both is not collected yet.
  assert.ok(mostBytes - warmBytes < 3 * body.length, `resident memory grew by ${mostBytes - warmBytes} bytes`);
  await assertNothingHeld(gateway);
});
