import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tellOfReplica, watchDecisions } from '../../gateway/assemble-events.ts';
import { EventLog } from '../../gateway/telemetry/event-log.ts';
import { Dispatching } from '../support/dispatching.ts';
import { newTime } from '../support/gates.ts';
import { newReplica, newReplicas } from '../support/replicas.ts';

/** A log of events with somebody who follows it. */
function followed(time = newTime()) {
  const log = new EventLog(time.clock);
  const told: { kind: string; facts: Record<string, unknown> }[] = [];
  const follow = () => log.follow(null, ({ kind, data }) => told.push({ kind, facts: JSON.parse(data) }));
  return { ...time, log, told, follow };
}

describe('decisions', () => {
  it('are told at most 20 times a second, and only while somebody listens', async () => {
    const { clock, wheel, log, told, follow } = followed();
    const dispatching = new Dispatching(newReplicas({}, {}), { clock, wheel, decisions: watchDecisions(log) });
    const second = async (): Promise<void> => {
      for (let n = 0; n < 1000; n++) {
        dispatching.take().lease?.release('succeeded');
        await dispatching.pass(1);
      }
    };
    await second();
    const leave = follow();
    assert.equal(told.length, 0);
    await second();
    assert.equal(told.length, 20);
    const { at, ...facts } = told[0]?.facts ?? {};
    assert.equal(typeof at, 'string');
    assert.deepEqual(Object.keys(facts), [
      'backend',
      'policy',
      'unit',
      'preference',
      'picked',
      'waitedMs',
      'candidates',
      'more',
    ]);
    leave();
    await dispatching.pass(60_000);
    await second();
    assert.equal(told.length, 20);
  });

  it('of a large backend are told with the 64 cheapest, and how many there are more', () => {
    const { clock, wheel, log, told, follow } = followed();
    follow();
    const specs = Array.from({ length: 99 }, () => ({}));
    const dispatching = new Dispatching(newReplicas({ inFlight: 1 }, ...specs), {
      clock,
      wheel,
      decisions: watchDecisions(log),
    });
    dispatching.take();
    const { candidates, more } = (told[0] ?? assert.fail()).facts as { candidates: unknown[]; more: number };
    assert.deepEqual([candidates.length, more], [64, 36]);
  });
});

describe('a replica', () => {
  it('is told of whenever it stands otherwise, and of nothing else', () => {
    const { log, told, follow } = followed();
    follow();
    const replica = newReplica();
    const leave = tellOfReplica(replica, log);
    replica.state.setStanding('ready', 'once more');
    replica.changed.publish(replica.state);
    assert.equal(told.length, 0);
    replica.state.drain();
    replica.state.undrain();
    replica.state.setStanding('unready', 'says 503');
    assert.deepEqual(
      told.map(({ kind, facts: { standing, reason } }) => [kind, standing, reason]),
      [
        ['replica', 'draining', 'drained by an operator'],
        ['replica', 'ready', 'once more'],
        ['replica', 'unready', 'says 503'],
      ],
    );
    const { at: _, ...facts } = told[2]?.facts ?? {};
    assert.deepEqual(facts, {
      backend: 'pool',
      replica: 'a',
      standing: 'unready',
      reason: 'says 503',
      gate: 'passing',
      gateCause: null,
      gateReason: 'as the test says',
    });
    leave();
    replica.state.setStanding('ready', 'again');
    assert.equal(told.length, 3);
  });
});
