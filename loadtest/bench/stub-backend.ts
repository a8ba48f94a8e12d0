import { createServer, type ServerResponse } from 'node:http';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { chatEvents, chatPath, paceField, ticksOfPace } from './chat-stream.ts';
import { textAnswer, textPath } from './text-answer.ts';

// A replica that answers every request at once with what a bundled worker would, and streams chats at a pace that every peer keeps up with:
// the peers are compared by their own cost.

const answer = Buffer.from(
  JSON.stringify({
    model_name: 'digits',
    model_version: '1',
    outputs: [
      { name: 'label', datatype: 'INT64', shape: [1], data: [7] },
      { name: 'probabilities', datatype: 'FP32', shape: [1, 10], data: [0, 0, 0.01, 0, 0, 0, 0, 0.98, 0.01, 0] },
    ],
  }),
);
const report = 'JSON {"named_metrics":{"slots":8192,"in_flight":0,"queued":0,"service_seconds":0.00021}}';
const headers = [
  'content-type',
  'application/json',
  'content-length',
  String(answer.length),
  'endpoint-load-metrics',
  report,
];

/** Each stream gets one event a tick, in a write of its own. */
const tickMs = 10;
/** The streams that are open, with the ticks they have seen and those from one event to the next. */
const streams = new Map<ServerResponse, { ticks: number; readonly every: number }>();

const chatAnswer = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'chat',
    choices: [
      { index: 0, message: { role: 'assistant', content: 'A gate at the head of a canal.' }, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 60, completion_tokens: 9, total_tokens: 69 },
  }),
);

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  let asked = '';
  const isChat = request.url === chatPath;
  request.on('data', (bytes: Buffer) => {
    if (isChat) asked += bytes.toString('latin1');
  });
  request.on('end', () => {
    if (isChat && asked.includes('"stream":true')) return openStream(response, asked);
    if (isChat) return answerWhole(response, chatAnswer);
    if (request.url === textPath) return answerWhole(response, textAnswer);
    response.writeHead(200, headers);
    response.end(answer);
  });
});

function answerWhole(response: ServerResponse, body: Buffer): void {
  response.writeHead(200, ['content-type', 'application/json', 'content-length', String(body.length)]);
  response.end(body);
}

function openStream(response: ServerResponse, asked: string): void {
  response.writeHead(200, ['content-type', 'text/event-stream', 'cache-control', 'no-cache']);
  // The first at once: waiting for a tick would hide what a peer adds until then.
  response.write(chatEvents[0]);
  const every = asked.includes(paceField('slow')) ? ticksOfPace.slow : ticksOfPace.fast;
  streams.set(response, { ticks: every, every });
  response.on('close', () => streams.delete(response));
}

function tick(): void {
  systemClock.after(tickMs, tick);
  for (const [response, stream] of streams) {
    stream.ticks += 1;
    if (stream.ticks % stream.every !== 0) continue;
    const sent = stream.ticks / stream.every - 1;
    if (sent < chatEvents.length - 1) response.write(chatEvents[sent]);
    else {
      streams.delete(response);
      response.end(chatEvents[sent]);
    }
  }
}

tick();
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.send?.('ready'));
