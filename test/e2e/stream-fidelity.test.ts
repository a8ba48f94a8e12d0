import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { repetitions } from '../support/counts.ts';
import { pause, startGateway } from '../support/gateway-process.ts';
import { type Arrival, RawBackend } from '../support/raw-backend.ts';
import { request } from '../support/raw-client.ts';
import { chunkOf, eventStreamHead, lastChunk, StreamClient } from '../support/streams.ts';

const upstreamName = 'Org/Upstream-8B';

const backend = await RawBackend.start({ after }, () => {});
const replicas = `[{ id: a, url: "${backend.url}" }]`;
const gateway = await startGateway(
  { after },
  `
backends:
  - { name: plain, protocol: openai, models: [plain], replicas: ${replicas} }
  - { name: mapped, protocol: openai, models: [{ name: mapped, upstream: ${upstreamName} }], replicas: ${replicas} }
  - { name: triton, protocol: open-inference, models: [triton], replicas: ${replicas} }
telemetry: { log: warn }
`,
);

/** One stream of events as a backend sends it. */
interface Stream {
  readonly model: 'plain' | 'mapped' | 'triton';
  /** The bytes of the body. */
  readonly sent: Buffer;
  /** All that goes over the socket. */
  readonly wire: Buffer;
  readonly closesAtEnd: boolean;
}

const delta = (content: string, model = 'plain'): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model, choices: [{ index: 0, delta: { content } }] })}\n\n`;
const usage = 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\n';
const done = 'data: [DONE]\n\n';
/** All that the format knows besides data; and characters of two, three and four bytes. */
const decorated = `: ping\n\nretry: 1500\nevent: delta\nid: 7\n${delta('né 漢 🌊')}:\n${delta('👩🏽‍🔬')}${usage}`;
const withCarriageReturns = (text: string): string => text.replaceAll('\n', '\r\n');

/** Chunks that end where events end, as servers send them. */
const byEvent = (text: string): Buffer[] => text.split(/(?<=\n\r?\n)/).map((event) => Buffer.from(event));
/** Chunks that end anywhere, also within a character. */
const byCount = (text: string): Buffer[] => {
  const bytes = Buffer.from(text);
  const count = Math.ceil(bytes.length / 29);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * 29, (at + 1) * 29));
};

function chunked(model: Stream['model'], chunks: readonly Buffer[]): Stream {
  const wire = Buffer.concat([Buffer.from(eventStreamHead), ...chunks.map(chunkOf), Buffer.from(lastChunk)]);
  return { model, sent: Buffer.concat(chunks), wire, closesAtEnd: false };
}

function closeDelimited(text: string): Stream {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n';
  return { model: 'plain', sent: Buffer.from(text), wire: Buffer.from(head + text), closesAtEnd: true };
}

const streams: Readonly<Record<string, Stream>> = {
  'line feeds, a chunk an event': chunked('plain', byEvent(decorated + done)),
  'line feeds, chunks that end anywhere': chunked('plain', byCount(decorated + done)),
  'carriage returns': chunked('plain', byEvent(withCarriageReturns(decorated + done))),
  'no [DONE]': chunked('plain', byEvent(decorated)),
  'an end in the middle of a line': chunked('plain', byEvent(`${delta('a')}data: {"cho`)),
  'an end that the connection tells': closeDelimited(decorated + done),
  'another name for the model': chunked('mapped', byCount(`: ping\n\n${delta('🌊', upstreamName)}${usage}${done}`)),
  'another name, carriage returns': chunked(
    'mapped',
    byEvent(withCarriageReturns(`id: 1\n${delta('🌊', upstreamName)}${done}`)),
  ),
  generate_stream: chunked('triton', byEvent('data: {"model_name":"triton","text_output":"né 🌊"}\n\n'.repeat(3))),
};

/** The piece of the stream's wire that goes first is as long as the test says; then come pieces of `stepBytes`. */
interface Cut {
  readonly stream: Stream;
  readonly firstBytes: number;
  readonly stepBytes: number;
  readonly pauseMs: number;
}

const cuts = new Map<string, Cut>();
backend.script = (arrival) => void play(arrival);

async function play({ body, socket }: Arrival): Promise<void> {
  const { case: name } = JSON.parse(body.toString());
  const cut = cuts.get(name);
  assert.ok(cut);
  const { stream, firstBytes, stepBytes, pauseMs } = cut;
  socket.setNoDelay(true);
  socket.write(stream.wire.subarray(0, firstBytes));
  for (let at = firstBytes; at < stream.wire.length; at += stepBytes) {
    await pause(pauseMs);
    socket.write(stream.wire.subarray(at, at + stepBytes));
  }
  if (stream.closesAtEnd) socket.end();
}

function expected({ model, sent }: Stream): Buffer {
  return model === 'mapped' ? Buffer.from(sent.toString().replaceAll(upstreamName, model)) : sent;
}

async function assertPasses(name: string, cut: Cut): Promise<void> {
  cuts.set(name, cut);
  const { model } = cut.stream;
  const line = `POST ${model === 'triton' ? '/v2/models/triton/generate_stream' : '/v1/chat/completions'}`;
  const body = JSON.stringify({ model, stream: true, case: name });
  const client = new StreamClient(gateway.client).send(request({ line, body }));
  const { status, bytes } = await client.until(`${name} has come`, ({ isWhole }) => isWhole);
  client.leave();
  assert.equal(status, 200);
  assert.equal(bytes.toString('latin1'), expected(cut.stream).toString('latin1'), name);
}

/** As many at a time as a few of the gateway's turns take, so that both pieces of each are read for themselves. */
const atATime = 100;

for (const [name, stream] of Object.entries(streams)) {
  test(`a stream passes as it is wherever its bytes are split: ${name}`, async () => {
    const positions = Array.from({ length: stream.wire.length - 1 }, (_, at) => at + 1);
    const rest = { stepBytes: stream.wire.length, pauseMs: 40 };
    while (positions.length > 0) {
      const some = positions.splice(0, atATime);
      await Promise.all(
        some.map((firstBytes) => assertPasses(`${name} split at ${firstBytes}`, { stream, firstBytes, ...rest })),
      );
    }
  });
}

test('streams pass as they are that come byte by byte', async () => {
  const all = Object.entries(streams);
  for (let round = 0; round < repetitions({ quick: 1, full: 5 }); round++) {
    await Promise.all(
      all.map(([name, stream]) =>
        assertPasses(`${name}, byte by byte`, { stream, firstBytes: 1, stepBytes: 1, pauseMs: 1 }),
      ),
    );
  }
});

for (const model of ['plain', 'mapped'] as const) {
  test(`an event is with the client before the next one is sent: model ${model}`, async () => {
    const events = byEvent(decorated.replaceAll('"plain"', `"${upstreamName}"`) + done);
    const sockets: Arrival['socket'][] = [];
    backend.script = ({ socket }) => sockets.push(socket.setNoDelay(true));
    const body = JSON.stringify({ model, stream: true });
    const client = new StreamClient(gateway.client).send(request({ line: 'POST /v1/chat/completions', body }));
    let soFar = '';
    while (sockets.length === 0) await pause(1);
    const [socket] = sockets;
    socket?.write(eventStreamHead);
    for (const event of events) {
      soFar += model === 'plain' ? event : event.toString().replaceAll(upstreamName, model);
      socket?.write(chunkOf(event));
      await client.until('the event', ({ bytes }) => bytes.toString() === soFar);
    }
    socket?.write(lastChunk);
    await client.until('the end', ({ isWhole }) => isWhole);
    client.leave();
  });
}
