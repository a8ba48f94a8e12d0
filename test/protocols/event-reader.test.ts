import assert from 'node:assert/strict';
import { it } from 'node:test';
import { EventReader } from '../../gateway/protocols/event-reader.ts';
import { linesOf } from '../../gateway/protocols/events.ts';
import { cut } from '../support/caching/rendered.ts';

/** The lines of each event that has any, and of what is left. */
function eventsOf(pieces: readonly Uint8Array[]): string[][] {
  const reader = new EventReader();
  const events = [...pieces.flatMap((piece) => reader.take(piece)), reader.rest()];
  return events.map((event) => linesOf(event).filter((line) => line !== '')).filter((lines) => lines.length > 0);
}

it('events are read line by line wherever their stream is cut, whatever ends its lines', () => {
  const events = [['event: error', 'data: é', 'data: 😀'], [':'], ['data: {}', 'id: 1'], ['data: cut off']];
  for (const end of ['\n', '\r\n', '\r']) {
    const bytes = Buffer.from(end + events.map((lines) => lines.join(end)).join(end + end));
    for (let at = 0; at <= bytes.length; at++) assert.deepEqual(eventsOf(cut(bytes, [at])), events, `at ${at}`);
    assert.deepEqual(eventsOf(cut(bytes, [...bytes.keys()])), events);
  }
});
