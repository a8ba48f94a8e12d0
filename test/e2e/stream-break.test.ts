import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { newRequestId } from '../../gateway/kernel/rng.ts';
import { eventually, pause, startGateway } from '../support/gateway-process.ts';
import { type Arrival, lineOf, okAnswer, RawBackend } from '../support/raw-backend.ts';
import { request } from '../support/raw-client.ts';
import { chat, chunkOf, eventStreamHead, StreamClient } from '../support/streams.ts';

/** What the backend answers, by the request's id. */
const answers = new Map<string, Buffer>();
const byId = (arrival: Arrival): void => {
  const bytes = answers.get(idOf(arrival)) ?? assert.fail('nothing to say');
  if (bytes.length > 0) arrival.socket.write(bytes);
};
const backend = await RawBackend.start({ after }, byId);
const replicas = `[{ id: a, url: "${backend.url}" }]`;
const configuration = `
backends:
  - { name: chat, protocol: openai, models: [chat, { name: mapped, upstream: Org/M }], replicas: ${replicas}, timeouts: { first_byte: 300ms, idle: 300ms } }
  - { name: triton, protocol: open-inference, models: [triton], replicas: ${replicas} }
telemetry: { log: info }
`;
const gateway = await startGateway({ after }, configuration);

const event = 'data: {"choices":[{"delta":{"content":"né 🌊"}}]}\n\n';
const whole = chunkOf(event);
const inCharacter = Buffer.from(event).subarray(0, Buffer.from(event).indexOf('🌊') + 2);

/** What has come when a stream breaks off: the bytes on the wire behind its head, and those of the body among them. */
const moments: Readonly<Record<string, { readonly wire: Buffer; readonly body: Buffer }>> = {
  'between events': { wire: whole, body: Buffer.from(event) },
  'between events of carriage returns': {
    wire: chunkOf(event.replaceAll('\n', '\r\n')),
    body: Buffer.from(event.replaceAll('\n', '\r\n')),
  },
  'within an event': { wire: chunkOf(`${event}data: {"cho`), body: Buffer.from(`${event}data: {"cho`) },
  'within a character': { wire: chunkOf(inCharacter), body: inCharacter },
  'within the bytes of a chunk': { wire: whole.subarray(0, 20), body: Buffer.from(event).subarray(0, 20 - 4) },
  'within the size of a chunk': { wire: Buffer.concat([whole, Buffer.from('3')]), body: Buffer.from(event) },
  'behind the size of a chunk': { wire: Buffer.concat([whole, Buffer.from('3a\r\n')]), body: Buffer.from(event) },
  'before the last chunk': { wire: chunkOf(`${event}data: [DONE]\n\n`), body: Buffer.from(`${event}data: [DONE]\n\n`) },
};

/** How a replica stops, and what the client is told of it. */
const causes = [
  { name: 'is closed', stop: ({ socket }: Arrival) => socket.end(), code: 'upstream_broken', status: 502 },
  { name: 'is reset', stop: ({ socket }: Arrival) => socket.resetAndDestroy(), code: 'upstream_broken', status: 502 },
  { name: 'falls silent', stop: () => {}, code: 'upstream_timeout', status: 504 },
] as const;

const heads = { kept: eventStreamHead, closing: eventStreamHead.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n') };

/** Sends a request that the backend answers with these bytes, and no more; waits until they are with the backend's connection. */
async function begin(sent: string, answer: Buffer): Promise<{ client: StreamClient; arrival: Arrival; id: string }> {
  const id = newRequestId();
  answers.set(id, answer);
  const client = new StreamClient(gateway.client).send(sent.replace('\r\n\r\n', `\r\nx-request-id: ${id}\r\n\r\n`));
  const arrival = (): Arrival | undefined => backend.arrivals.find((one) => idOf(one) === id);
  await eventually('it reaches the backend', () => arrival() !== undefined);
  return { client, arrival: arrival() ?? assert.fail(), id };
}

describe('a stream that breaks off in the middle', () => {
  for (const { name, stop, code } of causes) {
    it(`ends in an error event, wherever its connection ${name}`, async () => {
      const before = await counts(code);
      const all = Object.entries(moments).flatMap(([where, moment]) =>
        Object.entries(heads).map(([kept, head]) => ({ ...moment, head, what: `${kept}, ${where}` })),
      );
      const ids = await Promise.all(
        all.map(async ({ wire, body, head, what }) => {
          const { client, arrival, id } = await begin(chat('chat'), Buffer.concat([Buffer.from(head), wire]));
          await client.until(`the beginning (${what})`, ({ bytes }) => bytes.length >= body.length);
          stop(arrival);
          await client.closed;
          assertBrokenOff(client, { body, shape: 'openai', code, what });
          return id;
        }),
      );
      const { failed, refused } = await counts(code);
      assert.deepEqual(
        { failed, refused },
        { failed: before.failed + all.length, refused: before.refused + all.length },
      );
      for (const id of ids) await assertLogged(id, code, 200);
    });
  }

  it('is told in the words of generate_stream where that is what was asked for', async () => {
    const sent = request({ line: 'POST /v2/models/triton/generate_stream', body: '{"text_input":"a"}' });
    const { client, arrival } = await begin(sent, Buffer.concat([Buffer.from(eventStreamHead), whole]));
    await client.until('the beginning', ({ bytes }) => bytes.length === Buffer.byteLength(event));
    arrival.socket.resetAndDestroy();
    await client.closed;
    assertBrokenOff(client, { body: Buffer.from(event), shape: 'triton', code: 'upstream_broken' });
  });

  it('loses nothing of a line that is looked at for the name of the model', async () => {
    const { wire, body } = moments['within a character'] ?? assert.fail();
    const { client, arrival } = await begin(chat('mapped'), Buffer.concat([Buffer.from(eventStreamHead), whole, wire]));
    await client.until('the event before', ({ bytes }) => bytes.length > 0);
    arrival.socket.end();
    await client.closed;
    const all = Buffer.concat([Buffer.from(event), body]);
    assertBrokenOff(client, { body: all, shape: 'openai', code: 'upstream_broken' });
  });

  it('breaks off without a word where it is no stream of events', async () => {
    const head = eventStreamHead.replace('text/event-stream', 'application/x-ndjson');
    const { client, arrival } = await begin(chat('chat'), Buffer.concat([Buffer.from(head), whole]));
    await client.until('the beginning', ({ bytes }) => bytes.length === Buffer.byteLength(event));
    arrival.socket.resetAndDestroy();
    await client.closed;
    const { bytes, isWhole } = client.streamed;
    assert.equal(bytes.toString(), event);
    assert.equal(isWhole, false);
  });
});

describe('a stream that breaks off before its first byte', () => {
  for (const { name, stop, code, status } of causes) {
    it(`is an error in JSON when its connection ${name} before or behind its head`, async () => {
      const before = await counts(code);
      const all = ['', ...Object.values(heads)].map(async (head) => {
        const { client, arrival, id } = await begin(chat('chat'), Buffer.from(head));
        // A moment, so that the head travels alone.
        await pause(20);
        stop(arrival);
        const answer = await client.answer();
        assert.equal(answer.status, status);
        assert.equal(answer.header('content-type'), 'application/json');
        assert.equal(JSON.parse(answer.body).error.code, code);
        answers.set(id, Buffer.from(okAnswer('{}')));
        const next = await client.send(chat('chat', {}, [`x-request-id: ${id}`])).answer();
        assert.equal(next.status, 200, 'the connection serves on');
        client.leave();
        await assertLogged(id, code, status);
      });
      await Promise.all(all);
      assert.deepEqual(await counts(code), { failed: before.failed + 3, refused: before.refused + 3 });
    });
  }
});

it('a gateway that waits no longer for its streams ends each with an error event', async (context) => {
  const own = await startGateway(context, `listen: { port: 0, drain: 300ms }\n${configuration}`);
  backend.script = ({ socket }) => {
    const beat = setInterval(() => socket.write(whole), 50);
    socket.on('close', () => clearInterval(beat));
    socket.write(Buffer.concat([Buffer.from(eventStreamHead), whole]));
  };
  const clients = Array.from({ length: 20 }, () => new StreamClient(own.client).send(chat('chat')));
  for (const client of clients) await client.until('the beginning', ({ bytes }) => bytes.length > 0);
  assert.equal(await own.process.stop(), 0);
  for (const client of clients) {
    await client.closed;
    const { bytes, isWhole } = client.streamed;
    assert.equal(isWhole, false);
    const events = bytes.toString().split(/(?<=\n\n)/);
    const last = events.pop() ?? '';
    assert.deepEqual([...new Set(events)], [event]);
    assert.equal(JSON.parse(last.slice('data: '.length)).error.code, 'shutting_down');
  }
  const codes = own.process.log.filter(({ msg }) => msg === 'exchange').map(({ code }) => code);
  assert.deepEqual(codes, Array(20).fill('shutting_down'));
});

function idOf({ headers }: Arrival): string {
  return lineOf(headers, 'x-request-id') ?? '';
}

interface Break {
  readonly body: Buffer;
  readonly shape: 'openai' | 'triton';
  readonly code: string;
  readonly what?: string;
}

/** What came of the answer has been passed on, then one event says what happened, and nothing says that this is the end. */
function assertBrokenOff(client: StreamClient, { body, shape, code, what = '' }: Break): void {
  const { status, bytes, isWhole } = client.streamed;
  assert.equal(status, 200);
  assert.equal(isWhole, false, `a clean end: ${what}`);
  assert.deepEqual(bytes.subarray(0, body.length), body, what);
  const added = bytes.toString('utf8', body.length);
  const isBetweenEvents = /(\n|\r\n)\1$/.test(body.toString('latin1'));
  const [, gap, data = ''] = /^(\n*)data: (.*)\n\n$/.exec(added) ?? assert.fail(`no event: ${JSON.stringify(added)}`);
  assert.equal(gap, isBetweenEvents ? '' : '\n\n', what);
  const { error } = JSON.parse(data);
  if (shape === 'triton') assert.equal(typeof error, 'string');
  else {
    assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code']);
    assert.equal(error.code, code);
    assert.equal(error.type, 'server_error');
  }
}

async function counts(code: string): Promise<{ failed: number; refused: number }> {
  return {
    failed: await gateway.metric('headgate_tries_total', { outcome: 'failed' }),
    refused: await gateway.metric('headgate_refusals_total', { code }),
  };
}

async function assertLogged(id: string, code: string, status: number): Promise<void> {
  const own = (): Record<string, unknown> | undefined => gateway.process.log.find((line) => line.id === id);
  await eventually('the log tells of it', () => own() !== undefined);
  assert.deepEqual({ code: own()?.code, status: own()?.status }, { code, status });
}
