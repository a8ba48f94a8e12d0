import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventOf, firstEventOf, isErrorEvent, isEventStream } from '../../gateway/protocols/events.ts';

test('an answer is a stream of events by its content type, in whatever case and with whatever parameters', () => {
  for (const type of ['text/event-stream', 'Text/Event-Stream; charset=utf-8', 'text/event-stream;charset=utf-8'])
    assert.ok(isEventStream({ headers: ['x-a', 'b', 'Content-Type', type] }), type);
  for (const type of ['application/json', 'text/plain', '', ' text/event-stream', 'x-text/event-stream'])
    assert.ok(!isEventStream({ headers: ['content-type', type] }), type);
  assert.ok(!isEventStream({ headers: [] }));
});

test('one that is encoded cannot be read as one', () => {
  const headers = ['content-type', 'text/event-stream', 'content-encoding', 'gzip'];
  assert.ok(!isEventStream({ headers }));
});

test('an event is one line of data and an empty one, whatever text is in it', () => {
  const value = { error: 'a\nb\r\n\r\nc "é" \u2028' };
  const event = String(eventOf(value));
  assert.match(event, /^data: [^\r\n]*\n\n$/);
  assert.deepEqual(JSON.parse(event.slice(6)), value);
});

test('a stream begins with an error where its first event is called so, or holds one', () => {
  const error = { error: { message: 'out of memory', type: 'server_error' } };
  for (const beginning of [
    'event: error\ndata: {}\n\n',
    'event:error\r\ndata: {}\r\n\r\n',
    String(eventOf(error)),
    `data:${JSON.stringify(error, null, 2).replaceAll('\n', '\ndata:')}\n\n`,
    ': ping\n\n\ndata: {"code":500, "error" : "so"}\n\n',
    'data: {"object":"error","message":"so"}\n\n',
  ])
    assert.ok(isErrorEvent(firstEventOf(beginning) ?? beginning), beginning);
});

test('a stream does not begin with an error that only mentions one, or says that there is none', () => {
  for (const beginning of [
    '',
    ': ping\n\n',
    'event: errors_none\ndata: {}\n\n',
    'event: message\ndata: {"message":{"error":"in a field"}}\n\n',
    'data: {"id":"1","choices":[{"delta":{"content":"{\\"error\\":1}"}}]}\n\n',
    'data: {"error":null,"choices":[]}\n\n',
    'data: {"error": null}\n\n',
    'data: {"object":"chat.completion.chunk","error":null}\n\n',
    'data: [DONE]\n\n',
  ])
    assert.ok(!isErrorEvent(firstEventOf(beginning) ?? beginning), beginning);
});
